// The clock port: the only way to the time of the world. Machines never see it (their time is ticks in the log); doors
// and retries do. Implementations are safe on any thread.
#pragma once

#include <cstdint>

namespace granary {

class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since 1970-01-01T00:00:00Z, leap seconds smeared away as Unix time does. May jump.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
  // Milliseconds since an unspecified start. Never goes back.
  [[nodiscard]] virtual std::int64_t monotonic_ms() const = 0;
};

// The machine's clocks. Lives as long as the process.
const Clock& system_clock();

}  // namespace granary
