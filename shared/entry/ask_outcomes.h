// Asks the fold what became of the events of one request, and reports once: when all of it is known, or when the time
// is over.
//
// Threads: ask_outcomes() on any; `done` runs on the caller's, on one of the runtime's or on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "shared/entry/event_groups.h"
#include "shared/http/loop.h"
#include "shared/runtime/runtime.h"

namespace granary::entry {

// By group, in the order of its rows; nullopt: not known (yet).
using Judged = std::vector<std::vector<std::optional<machine::Outcome>>>;

// `offsets` has those of each group, all of which are stored. Both stay as they are until this returns.
void ask_outcomes(runtime::Runtime& runtime, http::Loop& loop, const std::vector<EventGroup>& groups,
                  const std::vector<journal::Offsets>& offsets, std::int64_t wait_ms, std::function<void(Judged)> done);

}  // namespace granary::entry
