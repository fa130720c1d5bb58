// GRANARY_PROBE: the name of a rare branch that can happen, so that the tests can tell whether any of them ever takes
// it. A branch that cannot happen is a GRANARY_CHECK (check.h).
//
//   if (!late.is_zero()) GRANARY_PROBE("late usage takes what had expired of a lot");
//
// The name is a literal, plain words, and stands in one place of the sources. Where the environment variable
// GRANARY_PROBES names a file, the first visit in a process appends the name to it as a line, with one write, so that
// it survives `kill -9` and many processes can share the file; without it nothing happens. Each later visit costs one
// relaxed load. tests/probes tells which were never reached. Any thread.
#pragma once

#include <atomic>
#include <string_view>

namespace granary {

// The first visit of a probe: `line` is its name and a newline.
void probe_reached(std::atomic<bool>& reached, std::string_view line);

}  // namespace granary

#define GRANARY_PROBE(name)                                                         \
  do {                                                                              \
    static constinit std::atomic<bool> granary_probe_reached_{false};               \
    if (!granary_probe_reached_.load(std::memory_order_relaxed)) [[unlikely]]       \
      ::granary::probe_reached(granary_probe_reached_, "" name "\n"); /* literal */ \
  } while (false)
