// Appends the records of one request to their inboxes and reports once: when every append is answered, or when the log
// has taken too long. Each answer is counted when it comes, also after the report.
//
// Threads: append_groups() on any; `done` runs on the caller's, on one of the journal's or on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "shared/entry/door_state.h"
#include "shared/entry/event_groups.h"
#include "shared/http/loop.h"
#include "shared/journal/journal.h"

namespace granary::entry {

struct AppendReport {
  // Of each group: where its records are stored; nullopt: they are not, or it is not known yet.
  std::vector<std::optional<journal::Offsets>> offsets;
  std::optional<Error> failure;  // why not all of them are
};

// `groups` have records, at least one; they are moved out of them, the rest of a group stays as it is. `use` is kept
// until the journal has answered every append, so that the door stays open for them. `done` must not wait.
void append_groups(journal::Journal& journal, http::Loop& loop, std::vector<EventGroup>& groups,
                   std::int64_t wait_ms_max, DoorState::Use use, std::shared_ptr<DoorState> state,
                   std::function<void(AppendReport)> done);

}  // namespace granary::entry
