// Times as sacct writes them, and local times of a zone as instants, by the system's time zone database. Any thread;
// the database lives as long as the process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace date {
class time_zone;
}

namespace granary::import {

// What a local time can mean: nothing (clocks jumped over it), one instant, or two (they were set back). Unix seconds.
struct Instants {
  std::optional<std::int64_t> earliest;
  std::optional<std::int64_t> latest;  // the same one if there is one

  [[nodiscard]] bool is_ambiguous() const { return earliest != latest; }
};

class TimeZone {
 public:
  // `name` is an IANA name ("Europe/Paris") or UTC. Errors: invalid_input for one that the database does not have.
  static Result<TimeZone> find(const std::string& name);

  // `local_s` counts seconds as if the clock showed UTC.
  [[nodiscard]] Instants instants(std::int64_t local_s) const;

 private:
  explicit TimeZone(const date::time_zone& zone) : zone_(&zone) {}
  const date::time_zone* zone_;
};

struct WrittenTime {
  std::int64_t seconds = 0;  // Unix seconds; of a local time as if the clock showed UTC
  bool is_local = false;     // it says no zone
  bool has_clock = false;    // it is written as a clock shows it,
  bool is_midnight = false;  // and that is midnight
};

// "2026-10-31T23:30:00", the same with an offset ("Z", "+0200", "+02:00"), or Unix seconds (what SLURM_TIME_FORMAT can
// make of it); nullopt for another form.
std::optional<WrittenTime> parse_written_time(std::string_view text);

}  // namespace granary::import
