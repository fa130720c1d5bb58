#include "shared/units/amount.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

namespace granary::units {
namespace {

constexpr Int128 kHourMs = 3'600'000;
constexpr Int128 kThousand = 1000;

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
    result = divide_half_even(product, c);
  } else {
    using boost::multiprecision::int512_t;
    const int512_t wide = divide_half_even<int512_t>(int512_t(a) * int512_t(b), int512_t(c));
    if (wide > int512_t(kAmountMax) || wide < -int512_t(kAmountMax)) return std::nullopt;
    result = static_cast<Int128>(wide);
  }
  if (result > kAmountMax || result < -kAmountMax) return std::nullopt;
  return result;
}

Held hold(Quantity quantity, std::int64_t duration_ms, UnitKind kind) {
  Int128 held = quantity.value();
  if (kind != UnitKind::resource_us) {
    if (held % kThousand != 0) return {HoldTrouble::not_whole, {}};
    held /= kThousand;
  }
  if (kind != UnitKind::item && __builtin_mul_overflow(held, Int128{duration_ms}, &held))
    return {HoldTrouble::overflow, {}};
  if (held > kAmountMax || held < -kAmountMax) return {HoldTrouble::overflow, {}};
  return {HoldTrouble::none, Amount(held)};
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

std::string format_integer(Int128 value) {
  using Unsigned = unsigned __int128;
  Unsigned rest = value < 0 ? -static_cast<Unsigned>(value) : static_cast<Unsigned>(value);
  char digits[41];
  std::size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (value < 0) digits[--at] = '-';
  return {digits + at, sizeof digits - at};
}

std::string format_fixed(Int128 scaled, int decimals) {
  std::string text = format_integer(scaled < 0 ? -scaled : scaled);
  const auto wanted = static_cast<std::size_t>(decimals) + 1;
  if (text.size() < wanted) text.insert(0, wanted - text.size(), '0');
  if (decimals > 0) text.insert(text.size() - static_cast<std::size_t>(decimals), 1, '.');
  return scaled < 0 ? "-" + text : text;
}

std::string format_decimal(Int128 scaled, int decimals) {
  std::string text = format_fixed(scaled, decimals);
  if (decimals > 0) {
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  return text;
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

void append_int128(std::string& out, Int128 value) {
  if (value == 0) return;
  int bytes = 16;
  // Drop leading bytes that only repeat the sign.
  while (bytes > 1) {
    const Int128 rest = value >> (8 * (bytes - 1) - 1);
    if (rest != 0 && rest != -1) break;
    --bytes;
  }
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::optional<Int128> int128_from(std::string_view bytes) {
  if (bytes.size() > 16) return std::nullopt;
  if (bytes.empty()) return 0;
  Int128 value = static_cast<std::int8_t>(bytes.front());
  for (const char c : bytes.substr(1))
    value = static_cast<Int128>(static_cast<unsigned __int128>(value) << 8) | static_cast<std::uint8_t>(c);
  std::string again;
  append_int128(again, value);
  if (again != bytes) return std::nullopt;  // one form per value
  return value;
}

}  // namespace granary::units
