#include "shared/units/instant.h"

#include <chrono>
#include <cstdio>

namespace granary::units {
namespace {

constexpr std::size_t kYearTextMax = 16;

using std::chrono::sys_days;
using std::chrono::year_month_day;

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

year_month_day date_of(Instant at) {
  return year_month_day(sys_days(std::chrono::days(day_number(at))));
}

char* write_digits(char* at, unsigned number, std::size_t count) {
  for (std::size_t i = count; i-- > 0; number /= 10) at[i] = static_cast<char>('0' + number % 10);
  return at + count;
}

// Four digits; the doors take no other years, but a chart of a wrong clock may.
char* write_year(char* at, std::chrono::year year) {
  const int number = static_cast<int>(year);
  if (number >= 0 && number <= 9999) return write_digits(at, static_cast<unsigned>(number), 4);
  return at + std::snprintf(at, kYearTextMax, "%04d", number);
}

// Takes exactly `digits` decimal digits off `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take_char(std::string_view& text, char upper) {
  if (text.empty() || (text.front() != upper && text.front() != (upper | 0x20))) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::int64_t day_number(Instant at) {
  return floor_div(at.ms(), kDayMs);
}

Month month_of(Instant at) {
  const auto date = date_of(at);
  return Month{(static_cast<int>(date.year()) - 1970) * 12 +
               static_cast<std::int32_t>(static_cast<unsigned>(date.month())) - 1};
}

Instant month_start(Month month) {
  const auto year = static_cast<int>(floor_div(month.index, 12));
  const auto in_year = static_cast<unsigned>(month.index - year * 12);
  const sys_days first = std::chrono::year(1970 + year) / std::chrono::month(in_year + 1) / std::chrono::day(1);
  return Instant(first.time_since_epoch().count() * kDayMs);
}

Month next_month(Month month) {
  return Month{month.index + 1};
}

std::string format_month(Month month) {
  const auto date = date_of(month_start(month));
  char text[kTimeTextMax];
  char* at = write_year(text, date.year());
  *at++ = '-';
  return {text, write_digits(at, static_cast<unsigned>(date.month()), 2)};
}

std::optional<Month> parse_month(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take_char(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || *month < 1 || *month > 12 || !text.empty() || *year < 1970) return std::nullopt;
  return Month{(*year - 1970) * 12 + *month - 1};
}

ParsedTime parse_time(std::string_view text) {
  constexpr ParsedTime kMalformed{TimeTrouble::malformed, {}};
  const auto year = take_number(text, 4);
  if (!year || !take_char(text, '-')) return kMalformed;
  const auto month = take_number(text, 2);
  if (!month || !take_char(text, '-')) return kMalformed;
  const auto day = take_number(text, 2);
  if (!day || !take_char(text, 'T')) return kMalformed;
  const auto hour = take_number(text, 2);
  if (!hour || !take_char(text, ':')) return kMalformed;
  const auto minute = take_number(text, 2);
  if (!minute || !take_char(text, ':')) return kMalformed;
  const auto second = take_number(text, 2);
  if (!second) return kMalformed;
  std::int64_t nanos = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    int digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
      if (++digits > 9) return kMalformed;
      nanos = nanos * 10 + (text.front() - '0');
    }
    if (digits == 0) return kMalformed;
    for (; digits < 9; ++digits) nanos *= 10;
  }
  const year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return kMalformed;
  std::int64_t offset_minutes = 0;
  if (text.empty()) return {TimeTrouble::no_zone, {}};
  if (!take_char(text, 'Z')) {
    const bool west = text.front() == '-';
    if (!west && text.front() != '+') return kMalformed;
    text.remove_prefix(1);
    const auto hours = take_number(text, 2);
    if (!hours || !take_char(text, ':')) return kMalformed;
    const auto minutes = take_number(text, 2);
    if (!minutes || *hours > 23 || *minutes > 59) return kMalformed;
    offset_minutes = (*hours * 60 + *minutes) * (west ? -1 : 1);
  }
  if (!text.empty()) return kMalformed;
  const std::int64_t minute_utc = *hour * 60 + *minute - offset_minutes;
  const bool ends_day = (minute_utc + 1) % (kDayMs / kMinuteMs) == 0;
  if (*second == 60 && !ends_day) return kMalformed;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  const Instant at(days * kDayMs + minute_utc * kMinuteMs + *second * kSecondMs + nanos / 1'000'000);
  if (at < kInstantMin || at > kInstantMax) return {TimeTrouble::out_of_range, {}};
  return {nanos % 1'000'000 == 0 ? TimeTrouble::none : TimeTrouble::too_precise, at};
}

char* write_time(char* out, Instant at) {
  const auto date = date_of(at);
  const auto in_day = static_cast<unsigned>(at.ms() - day_number(at) * kDayMs);
  out = write_year(out, date.year());
  const auto two = [&out](char before, unsigned number) {
    *out++ = before;
    out = write_digits(out, number, 2);
  };
  two('-', static_cast<unsigned>(date.month()));
  two('-', static_cast<unsigned>(date.day()));
  two('T', in_day / kHourMs);
  two(':', in_day / kMinuteMs % 60);
  two(':', in_day / kSecondMs % 60);
  if (const unsigned ms = in_day % kSecondMs; ms != 0) {
    *out++ = '.';
    out = write_digits(out, ms, 3);
  }
  *out++ = 'Z';
  return out;
}

std::string format_time(Instant at) {
  char text[kTimeTextMax];
  return {text, write_time(text, at)};
}

}  // namespace granary::units
