// Points in time and half-open intervals, UTC, in milliseconds; the calendar only at the edges. Values; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace granary::units {

inline constexpr std::int64_t kSecondMs = 1000;
inline constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
inline constexpr std::int64_t kHourMs = 60 * kMinuteMs;
inline constexpr std::int64_t kDayMs = 24 * kHourMs;

// Milliseconds since 1970-01-01T00:00:00Z without leap seconds.
class Instant {
 public:
  constexpr Instant() = default;
  constexpr explicit Instant(std::int64_t ms) : ms_(ms) {}
  [[nodiscard]] constexpr std::int64_t ms() const { return ms_; }
  constexpr auto operator<=>(const Instant&) const = default;
  [[nodiscard]] constexpr Instant plus_ms(std::int64_t ms) const { return Instant(ms_ + ms); }

 private:
  std::int64_t ms_ = 0;
};

// The first and last instants that input may name: years 1970 to 9999.
inline constexpr Instant kInstantMin{0};
inline constexpr Instant kInstantMax{253402300799999};

// [from, to)
struct Interval {
  Instant from;
  Instant to;
  bool operator==(const Interval&) const = default;
  [[nodiscard]] constexpr bool holds(Instant at) const { return from <= at && at < to; }
  [[nodiscard]] constexpr std::int64_t duration_ms() const { return to.ms() - from.ms(); }
};

// Days since 1970-01-01 (floor).
std::int64_t day_number(Instant at);

// A calendar month, UTC.
struct Month {
  std::int32_t index = 0;  // months since 1970-01
  auto operator<=>(const Month&) const = default;
};
Month month_of(Instant at);
Instant month_start(Month month);
Month next_month(Month month);
// "2026-10"
std::string format_month(Month month);
std::optional<Month> parse_month(std::string_view text);

// RFC 3339: date, 'T', time, optional fraction of 1 to 9 digits, 'Z' or an offset. A zone is required, years 1970 to
// 9999. A leap second is taken at the end of any day, 23:59:60 in UTC, as the second that follows: an Instant has none.
enum class TimeTrouble { none, malformed, no_zone, out_of_range, too_precise };
struct ParsedTime {
  TimeTrouble trouble = TimeTrouble::none;  // too_precise: finer than a millisecond; `at` is cut down to one
  Instant at;
};
ParsedTime parse_time(std::string_view text);
// "2026-10-31T23:30:00Z"; with ".250" if there are milliseconds.
std::string format_time(Instant at);
// The same to `out`, where kTimeTextMax bytes must be free; the end of what was written.
inline constexpr std::size_t kTimeTextMax = 48;
char* write_time(char* out, Instant at);

}  // namespace granary::units
