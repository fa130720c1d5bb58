#include "services/import/time_zone.h"

#include <fmt/format.h>

#include <date/tz.h>

#include <chrono>
#include <exception>

#include "services/import/text.h"

namespace granary::import {
namespace {

// "2026-10-31T23:30:00" as seconds; nullopt for another form.
std::optional<std::int64_t> parse_local_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool is_right = kForm[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == kForm[i];
    if (!is_right) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t size) { return *parse_integer(text.substr(at, size)); };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(0, 4))),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const std::int64_t hour = number(11, 2);
  const std::int64_t minute = number(14, 2);
  const std::int64_t second = number(17, 2);
  if (!day.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

// Seconds east of UTC of "Z", "+0200", "+02:00"; nullopt for another form.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text == "Z") return 0;
  if (text.size() != 5 && text.size() != 6) return std::nullopt;
  const char sign = text.front();
  std::string digits(text.substr(1));
  if (digits.size() == 5 && digits[2] == ':') digits.erase(2, 1);
  const bool is_right =
      (sign == '+' || sign == '-') && digits.size() == 4 && digits.find_first_not_of("0123456789") == std::string::npos;
  if (!is_right) return std::nullopt;
  const std::int64_t hours = *parse_integer(digits.substr(0, 2));
  const std::int64_t minutes = *parse_integer(digits.substr(2));
  if (hours > 23 || minutes > 59) return std::nullopt;
  return (sign == '-' ? -1 : 1) * (hours * 60 + minutes) * 60;
}

}  // namespace

Result<TimeZone> TimeZone::find(const std::string& name) {
  try {
    return TimeZone(*date::locate_zone(name));
  } catch (const std::exception&) {
    return Error{ErrorCode::invalid_input,
                 fmt::format("--time-zone: expected an IANA time zone such as Europe/Paris, or UTC, got '{}'; hint: "
                             "'timedatectl list-timezones' lists them; the package tzdata must be installed",
                             name)};
  }
}

Instants TimeZone::instants(std::int64_t local_s) const {
  const date::local_seconds local{std::chrono::seconds(local_s)};
  const date::local_info info = zone_->get_info(local);
  const auto instant = [&](const date::sys_info& half) { return local_s - half.offset.count(); };
  switch (info.result) {
    case date::local_info::unique:
      return {instant(info.first), instant(info.first)};
    case date::local_info::ambiguous:
      return {instant(info.first), instant(info.second)};
    default:
      return {};
  }
}

std::optional<WrittenTime> parse_written_time(std::string_view text) {
  constexpr std::size_t kLocalSize = 19;
  constexpr std::int64_t kDay = 86400;
  if (const auto unix = parse_integer(text)) {
    if (*unix < 0 || *unix > kSecondsMax) return std::nullopt;
    return WrittenTime{.seconds = *unix};
  }
  const auto local = parse_local_time(text.substr(0, kLocalSize));
  if (!local) return std::nullopt;
  WrittenTime time{.seconds = *local, .has_clock = true, .is_midnight = *local % kDay == 0};
  time.is_local = text.size() == kLocalSize;
  if (time.is_local) return time;
  const auto offset = parse_offset(text.substr(kLocalSize));
  if (!offset) return std::nullopt;
  time.seconds -= *offset;
  return time;
}

}  // namespace granary::import
