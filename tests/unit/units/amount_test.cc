#include "shared/units/amount.h"

#include <gtest/gtest.h>

namespace granary::units {
namespace {

TEST(Decimal, KeepsThousandthsExactlyAndRefusesTheRest) {
  const struct {
    const char* text;
    DecimalTrouble trouble;
    long long scaled;
  } cases[] = {
      {"2", DecimalTrouble::none, 2000},
      {"0.46", DecimalTrouble::none, 460},
      {"0", DecimalTrouble::none, 0},
      {"-1.5", DecimalTrouble::none, -1500},
      {"0.0001", DecimalTrouble::too_precise, 0},
      {"1.0000", DecimalTrouble::too_precise, 0},
      {"", DecimalTrouble::malformed, 0},
      {"1.", DecimalTrouble::malformed, 0},
      {".5", DecimalTrouble::malformed, 0},
      {"01", DecimalTrouble::malformed, 0},
      {"+1", DecimalTrouble::malformed, 0},
      {"1e3", DecimalTrouble::malformed, 0},
      {" 1", DecimalTrouble::malformed, 0},
      {"NaN", DecimalTrouble::malformed, 0},
      {"1,5", DecimalTrouble::malformed, 0},
      {"79228162514264337593543950337", DecimalTrouble::overflow, 0},
  };
  for (const auto& c : cases) {
    const Decimal got = parse_decimal(c.text, 3);
    EXPECT_EQ(got.trouble, c.trouble) << c.text;
    if (c.trouble == DecimalTrouble::none) {
      EXPECT_TRUE(got.scaled == c.scaled) << c.text;
    }
  }
}

TEST(Decimal, FormatsShortAndFixed) {
  EXPECT_EQ(format_decimal(460, 3), "0.46");
  EXPECT_EQ(format_decimal(-2000, 3), "-2");
  EXPECT_EQ(format_fixed(2'500'000'000, 9), "2.500000000");
  EXPECT_EQ(format_fixed(-5, 2), "-0.05");
  EXPECT_EQ(format_integer(kAmountMax), "79228162514264337593543950336");
}

TEST(Hold, TwoGpusForThreeSecondsAreSixMillion) {
  EXPECT_TRUE(over_time(Quantity(2000), 3000, UnitKind::resource_us).amount == Amount(6'000'000));
  EXPECT_TRUE(over_time(Quantity(460), 7, UnitKind::resource_us).amount == Amount(3220));
  EXPECT_TRUE(over_time(Quantity(4096 * 1000), 10, UnitKind::byte_ms).amount == Amount(40960));
  EXPECT_EQ(over_time(Quantity(1500), 10, UnitKind::byte_ms).trouble, OverTimeTrouble::not_whole);
  EXPECT_EQ(over_time(Quantity(kAmountMax), 2, UnitKind::resource_us).trouble, OverTimeTrouble::overflow);
}

TEST(MulDiv, RoundsHalfToEvenAtAnySize) {
  const auto is = [](std::optional<Int128> got, Int128 want) { return got.has_value() && *got == want; };
  EXPECT_TRUE(is(mul_div_half_even(1, 1, 2), 0));
  EXPECT_TRUE(is(mul_div_half_even(3, 1, 2), 2));
  EXPECT_TRUE(is(mul_div_half_even(-1, 1, 2), 0));
  EXPECT_TRUE(is(mul_div_half_even(-3, 1, 2), -2));
  EXPECT_TRUE(is(mul_div_half_even(-5, 1, 3), -2));
  EXPECT_TRUE(is(mul_div_half_even(kAmountMax, kAmountMax, kAmountMax), kAmountMax));
  EXPECT_FALSE(mul_div_half_even(kAmountMax, kAmountMax, 1).has_value());
}

TEST(Share, PartsKeepTheTotal) {
  const Amount whole(1'000'001);
  Amount sum;
  Amount before;
  for (int part = 1; part <= 7; ++part) {
    const Amount until = share_until(whole, part, 7);
    sum += until - before;
    before = until;
  }
  EXPECT_TRUE(sum == whole);
}

TEST(Int128Bytes, OneShortestFormPerValue) {
  for (const Int128 value : {Int128{0}, Int128{1}, Int128{-1}, Int128{127}, Int128{128}, Int128{-128}, Int128{-129},
                             kAmountMax, -kAmountMax, Int128{7'200'000'000}}) {
    std::string bytes;
    bytes.resize(kInt128BytesMax);
    bytes.erase(static_cast<std::size_t>(write_int128(bytes.data(), value) - bytes.data()));
    const auto back = int128_from(bytes);
    ASSERT_TRUE(back.has_value());
    EXPECT_TRUE(*back == value) << format_integer(value);
  }
  EXPECT_FALSE(int128_from(std::string("\0\1", 2)).has_value());
  EXPECT_FALSE(int128_from(std::string(17, '\1')).has_value());
}

TEST(Units, SumsThatLeave128BitsAbort) {
  const Amount half(static_cast<Int128>(1) << 126);
  EXPECT_DEATH({ (void)(half + half); }, "left 128 bits");
}

}  // namespace
}  // namespace granary::units
