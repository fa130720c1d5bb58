#include "shared/units/amount.h"

#include <algorithm>
#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <charconv>

namespace granary::units {
namespace {

constexpr Int128 kHourMs = 3'600'000;
constexpr Int128 kThousand = 1000;

using Unsigned = unsigned __int128;

constexpr std::size_t kDigitsMax = 40;

// The digits of |value|, in `buffer`.
std::string_view digits_of(Int128 value, std::array<char, kDigitsMax>& buffer) {
  constexpr Unsigned kNineteen = 10'000'000'000'000'000'000U;  // the largest power of ten in 64 bits
  Unsigned rest = value < 0 ? -static_cast<Unsigned>(value) : static_cast<Unsigned>(value);
  char* const end = buffer.data() + buffer.size();
  if (rest <= UINT64_MAX) {
    const auto done = std::to_chars(buffer.data(), end, static_cast<std::uint64_t>(rest));
    return {buffer.data(), static_cast<std::size_t>(done.ptr - buffer.data())};
  }
  char* at = end;
  while (rest != 0) {
    auto low = static_cast<std::uint64_t>(rest % kNineteen);
    rest /= kNineteen;
    for (int i = 0; rest != 0 ? i < 19 : low != 0; ++i, low /= 10) *--at = static_cast<char>('0' + low % 10);
  }
  return {at, static_cast<std::size_t>(end - at)};
}

template <class Int>
Int divide_half_even(Int dividend, Int divisor) {
  Int quotient = dividend / divisor;
  const Int rest = dividend - quotient * divisor;
  const Int twice = (rest < 0 ? Int(-rest) : rest) * 2;
  const bool odd = (quotient % 2) != 0;
  if (twice > divisor || (twice == divisor && odd)) quotient += dividend < 0 ? -1 : 1;
  return quotient;
}

}  // namespace

std::string_view unit_name(UnitKind kind) {
  switch (kind) {
    case UnitKind::resource_us:
      return "resource-us";
    case UnitKind::byte_ms:
      return "byte-ms";
    case UnitKind::item:
      return "item";
  }
  return "unknown";
}

std::optional<UnitKind> unit_from_name(std::string_view name) {
  for (const UnitKind kind : {UnitKind::resource_us, UnitKind::byte_ms, UnitKind::item})
    if (name == unit_name(kind)) return kind;
  return std::nullopt;
}

std::optional<NamedUnit> named_unit(std::string_view name) {
  if (const auto kind = unit_from_name(name)) return NamedUnit{*kind, 1};
  if (name == "resource-hour") return NamedUnit{UnitKind::resource_us, kThousand * kHourMs};
  if (name == "byte-hour") return NamedUnit{UnitKind::byte_ms, kHourMs};
  if (name == "gib-hour") return NamedUnit{UnitKind::byte_ms, (Int128{1} << 30) * kHourMs};
  if (name == "tib-hour") return NamedUnit{UnitKind::byte_ms, (Int128{1} << 40) * kHourMs};
  return std::nullopt;
}

std::optional<Int128> mul_div_half_even(Int128 a, Int128 b, Int128 c) {
  GRANARY_CHECK(c > 0, "division by zero or a negative number");
  Int128 product = 0;
  Int128 result = 0;
  if (c <= kAmountMax && !__builtin_mul_overflow(a, b, &product)) {
    // 128-bit divisions are slow, and most numbers are not that long.
    const bool is_short = product <= INT64_MAX && product >= -INT64_MAX && c <= INT64_MAX / 2;
    result = is_short ? divide_half_even(static_cast<std::int64_t>(product), static_cast<std::int64_t>(c))
                      : divide_half_even(product, c);
  } else {
    using boost::multiprecision::int512_t;
    const int512_t wide = divide_half_even<int512_t>(int512_t(a) * int512_t(b), int512_t(c));
    if (wide > int512_t(kAmountMax) || wide < -int512_t(kAmountMax)) return std::nullopt;
    result = static_cast<Int128>(wide);
  }
  if (result > kAmountMax || result < -kAmountMax) return std::nullopt;
  return result;
}

OverTime over_time(Quantity quantity, std::int64_t duration_ms, UnitKind kind) {
  Int128 held = quantity.value();
  if (kind != UnitKind::resource_us) {
    if (held % kThousand != 0) return {OverTimeTrouble::not_whole, {}};
    held /= kThousand;
  }
  if (kind != UnitKind::item && __builtin_mul_overflow(held, Int128{duration_ms}, &held))
    return {OverTimeTrouble::overflow, {}};
  if (held > kAmountMax || held < -kAmountMax) return {OverTimeTrouble::overflow, {}};
  return {OverTimeTrouble::none, Amount(held)};
}

Amount share_until(Amount amount, std::int64_t part, std::int64_t total) {
  GRANARY_CHECK(part >= 0 && part <= total && total > 0, "a part of an interval lies outside of it");
  const auto share = mul_div_half_even(amount.value(), part, total);
  GRANARY_CHECK(share.has_value(), "a part is larger than the whole");
  return Amount(*share);
}

Decimal parse_decimal(std::string_view text, int decimals_max) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const auto all_digits = [](std::string_view s) {
    return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || !all_digits(whole) || !all_digits(fraction)) return {DecimalTrouble::malformed, 0};
  if (whole.size() > 1 && whole.front() == '0') return {DecimalTrouble::malformed, 0};
  if (point != std::string_view::npos && fraction.empty()) return {DecimalTrouble::malformed, 0};
  if (fraction.size() > static_cast<std::size_t>(decimals_max)) return {DecimalTrouble::too_precise, 0};
  Int128 scaled = 0;
  const auto push = [&scaled](int digit) {
    scaled = scaled * 10 + digit;
    return scaled <= kAmountMax;
  };
  for (const char c : whole)
    if (!push(c - '0')) return {DecimalTrouble::overflow, 0};
  for (int i = 0; i < decimals_max; ++i)
    if (!push(static_cast<std::size_t>(i) < fraction.size() ? fraction[static_cast<std::size_t>(i)] - '0' : 0))
      return {DecimalTrouble::overflow, 0};
  return {DecimalTrouble::none, negative ? -scaled : scaled};
}

char* write_integer(char* at, Int128 value) {
  std::array<char, kDigitsMax> buffer;
  const std::string_view digits = digits_of(value, buffer);
  if (value < 0) *at++ = '-';
  return at + digits.copy(at, digits.size());
}

char* write_fixed(char* at, Int128 scaled, int decimals) {
  GRANARY_CHECK(decimals >= 0 && decimals <= kDecimalsMax, "a number was to get more decimals than there is room for");
  std::array<char, kDigitsMax> buffer;
  std::string_view digits = digits_of(scaled, buffer);
  const auto behind = static_cast<std::size_t>(decimals);
  if (scaled < 0) *at++ = '-';
  if (digits.size() > behind) {
    const std::size_t before = digits.size() - behind;
    at += digits.copy(at, before);
    digits.remove_prefix(before);
  } else {
    *at++ = '0';
  }
  if (behind == 0) return at;
  *at++ = '.';
  at = std::fill_n(at, behind - digits.size(), '0');
  return at + digits.copy(at, digits.size());
}

char* write_decimal(char* at, Int128 scaled, int decimals) {
  char* end = write_fixed(at, scaled, decimals);
  if (decimals == 0) return end;
  while (end[-1] == '0') --end;
  if (end[-1] == '.') --end;
  return end;
}

std::string format_integer(Int128 value) {
  char text[kNumberTextMax];
  return {text, write_integer(text, value)};
}

std::string format_fixed(Int128 scaled, int decimals) {
  char text[kNumberTextMax];
  return {text, write_fixed(text, scaled, decimals)};
}

std::string format_decimal(Int128 scaled, int decimals) {
  char text[kNumberTextMax];
  return {text, write_decimal(text, scaled, decimals)};
}

std::optional<Int128> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  Int128 value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value))
      return std::nullopt;
  }
  return negative ? -value : value;
}

namespace {

// The bytes that `value` needs; at least one.
std::size_t bytes_of(Int128 value) {
  const auto bits = static_cast<Unsigned>(value < 0 ? ~value : value);  // those that are not the sign's
  const auto high = static_cast<std::uint64_t>(bits >> 64);
  const auto low = static_cast<std::uint64_t>(bits);
  const int length = high != 0 ? 128 - __builtin_clzll(high) : low != 0 ? 64 - __builtin_clzll(low) : 0;
  return static_cast<std::size_t>(length / 8 + 1);
}

}  // namespace

char* write_int128(char* at, Int128 value) {
  if (value == 0) return at;
  const std::size_t size = bytes_of(value);
  auto rest = static_cast<Unsigned>(value);
  for (std::size_t i = size; i-- > 0; rest >>= 8) at[i] = static_cast<char>(rest);
  return at + size;
}

std::optional<Int128> int128_from(std::string_view bytes) {
  if (bytes.size() > kInt128BytesMax) return std::nullopt;
  if (bytes.empty()) return 0;
  auto value = static_cast<Unsigned>(static_cast<Int128>(static_cast<std::int8_t>(bytes.front())));
  for (const char c : bytes.substr(1)) value = value << 8 | static_cast<std::uint8_t>(c);
  const auto number = static_cast<Int128>(value);
  if (number == 0 || bytes_of(number) != bytes.size()) return std::nullopt;  // one form per value
  return number;
}

}  // namespace granary::units
