// Exact numbers: amounts of resources and money as signed 128-bit integers, bounded by 2^96 so that sums of many fit,
// and the few operations on them that round. Values; any thread. Nothing here converts between a number and a unit
// implicitly.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/check.h"
#include "shared/base/result.h"

namespace granary::units {

__extension__ using Int128 = __int128;

// The largest absolute value of any single amount: beyond it input is refused as `quantity_overflow`.
inline constexpr Int128 kAmountMax = static_cast<Int128>(1) << 96;

// A number of one kind; two kinds do not mix.
template <class Tag>
class Exact {
 public:
  constexpr Exact() = default;
  constexpr explicit Exact(Int128 value) : value_(value) {}
  [[nodiscard]] constexpr Int128 value() const { return value_; }
  constexpr auto operator<=>(const Exact&) const = default;
  [[nodiscard]] constexpr bool is_zero() const { return value_ == 0; }
  // Sums cannot leave 128 bits unnoticed.
  Exact operator+(Exact other) const {
    Int128 sum = 0;
    GRANARY_CHECK(!__builtin_add_overflow(value_, other.value_, &sum), "a sum of amounts left 128 bits");
    return Exact(sum);
  }
  Exact operator-() const { return Exact(-value_); }
  Exact operator-(Exact other) const { return *this + -other; }
  Exact& operator+=(Exact other) { return *this = *this + other; }
  Exact& operator-=(Exact other) { return *this = *this - other; }

 private:
  Int128 value_ = 0;
};

// Base units of a resource: see UnitKind.
using Amount = Exact<struct AmountTag>;
// 10^-9 of a currency; the currency is stored beside it.
using Money = Exact<struct MoneyTag>;
// Thousandths of a resource held at one time: 0.46 GPU is 460. For bytes too: thousandths of a byte, though only whole
// ones are accepted.
using Quantity = Exact<struct QuantityTag>;
// A price: 10^-9 of a currency for one pricing unit.
using Price = Exact<struct PriceTag>;

// What an Amount counts.
enum class UnitKind : std::uint8_t {
  resource_us = 1,  // thousandths of a resource times milliseconds
  byte_ms = 2,      // bytes times milliseconds
  item = 3,         // things
};
// "resource-us", "byte-ms", "item".
std::string_view unit_name(UnitKind kind);
std::optional<UnitKind> unit_from_name(std::string_view name);

// Units in which people state amounts and prices: "resource-hour", "gib-hour", ... with their size in base units.
struct NamedUnit {
  UnitKind kind = UnitKind::resource_us;
  Int128 base_units = 1;
};
// "resource-us", "resource-hour", "byte-ms", "byte-hour", "gib-hour", "tib-hour", "item"; nullopt: no such unit.
std::optional<NamedUnit> named_unit(std::string_view name);

// a * b / c rounded half to even, exact at any size of the product. c > 0. nullopt: the result is beyond 2^96.
std::optional<Int128> mul_div_half_even(Int128 a, Int128 b, Int128 c);

// A quantity held for a time, in base units of `kind` (for `item`: the whole quantity, whatever the time).
// not_whole: not a whole number of bytes or items; overflow: beyond 2^96.
enum class OverTimeTrouble : std::uint8_t { none, not_whole, overflow };
struct OverTime {
  OverTimeTrouble trouble = OverTimeTrouble::none;
  Amount amount;
};
OverTime over_time(Quantity quantity, std::int64_t duration_ms, UnitKind kind);

// The share of `amount` that falls on [0, part) of a whole of `total`, rounded half to even. The shares of consecutive
// parts, taken as differences of this, keep the total. 0 <= part <= total, total > 0.
Amount share_until(Amount amount, std::int64_t part, std::int64_t total);

// Decimal text, as at the doors: digits, optionally one point and 1 to `decimals_max` decimals, optionally a leading
// '-'; no exponent, no '+', no blanks, no leading zeros. Value times 10^decimals_max.
enum class DecimalTrouble : std::uint8_t { none, malformed, too_precise, overflow };
struct Decimal {
  DecimalTrouble trouble = DecimalTrouble::none;
  Int128 scaled = 0;
};
Decimal parse_decimal(std::string_view text, int decimals_max);
// The shortest text of scaled / 10^decimals: no trailing zeros, no point without decimals.
std::string format_decimal(Int128 scaled, int decimals);
// With exactly `decimals` decimals.
std::string format_fixed(Int128 scaled, int decimals);
std::string format_integer(Int128 value);
// The same to `at`, where kNumberTextMax bytes must be free, with at most kDecimalsMax decimals; the end of what was
// written.
inline constexpr int kDecimalsMax = 20;
inline constexpr std::size_t kNumberTextMax = 64;
char* write_decimal(char* at, Int128 scaled, int decimals);
char* write_fixed(char* at, Int128 scaled, int decimals);
char* write_integer(char* at, Int128 value);
// Digits with an optional '-'. nullopt: malformed or outside 128 bits.
std::optional<Int128> parse_integer(std::string_view text);

// Two's complement, big-endian, shortest form (zero is empty): the form of amounts in records and rows. Writes to `at`,
// where kInt128BytesMax bytes must be free; the end of what was written.
inline constexpr std::size_t kInt128BytesMax = 16;
char* write_int128(char* at, Int128 value);
std::optional<Int128> int128_from(std::string_view bytes);

}  // namespace granary::units
