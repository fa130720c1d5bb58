// Log lines: one line on stderr for each event of the process that an operator may care about, as JSON or as readable
// text. Levels: info is normal (start, stop, clock steps, and what the rules refuse); warn heals by itself (a target or
// a store that does not answer); error needs a person (a parked partition, a broken lane). Lines that a client can
// cause without end (refusals) or that repeat (retries) go through a LineBudget: each case is counted in the metrics, a
// few lines a second are written, and the next line says how many were left out.
//
// Threads: all functions but start() on any thread; a line is written whole, by the thread that logs it. Never for use
// by a machine's core, nor once per event that went well.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "shared/base/clock.h"
#include "shared/units/instant.h"

namespace granary::telemetry {

enum class Level { info, warn, error };
enum class Format { json, text };

// A named value of a line. The views live as long as the call; a field of empty text is left out.
struct Field {
  Field(std::string_view the_name, std::string_view text) : name(the_name), value(text) {}
  template <std::unsigned_integral Number>
  Field(std::string_view the_name, Number number) : name(the_name), value(std::uint64_t{number}) {}

  std::string_view name;
  std::variant<std::string_view, std::uint64_t> value;
};
using Fields = std::initializer_list<Field>;

// Chooses the form of all later lines, also of those of broken laws (GRANARY_CHECK). Call it before threads start.
// Without it lines are text, and a broken law is written as shared/base does.
void start(Format format);
// Whether start() was called: a server does, a command for people does not.
[[nodiscard]] bool started();

// `event` is a name in snake_case that never changes, `message` a sentence for people. Names of fields: topic,
// partition, position (of the record), machine, shard, cause (an error's or a rule's words), and what an event has
// beside.
void log(Level level, std::string_view event, std::string_view message, Fields fields = {});

// The line that log() writes, without its end. JSON: {"time":...,"level":...,"event":...,"message":...,fields...};
// bytes that are not UTF-8 become U+FFFD. Text: the same in one line, with control characters escaped.
std::string render(Format format, units::Instant at, Level level, std::string_view event, std::string_view message,
                   Fields fields);

// For tests: lines go to `sink` (under a lock) instead of stderr; nullptr: to stderr again.
void set_sink(std::function<void(std::string_view line)> sink);

// At most `lines_per_second` lines in each second.
class LineBudget {
 public:
  explicit LineBudget(std::uint32_t lines_per_second, const Clock& clock = system_clock())
      : lines_per_second_(lines_per_second), clock_(clock) {}
  // nullopt: write nothing. Otherwise the number of lines that were left out since the last one that was written.
  std::optional<std::uint64_t> take();

 private:
  const std::uint32_t lines_per_second_;
  const Clock& clock_;
  std::mutex mutex_;
  std::int64_t second_ = -1;
  std::uint32_t taken_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace granary::telemetry
