// From the events of a request to the records of each inbox partition. Threads: any; asks the runtime alone by which
// rules it folds. Ownership: values.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "shared/entry/cloud_events.h"
#include "shared/entry/event_answer.h"
#include "shared/http/message.h"
#include "shared/journal/journal.h"
#include "shared/machine/topology.h"
#include "shared/runtime/runtime.h"
#include "shared/units/instant.h"

namespace granary::entry {

// What of a request goes to one inbox partition, in the order of the request.
struct EventGroup {
  machine::Topic topic{};
  std::uint16_t partition = 0;
  std::vector<journal::Record> records;
  std::vector<std::size_t> rows;  // the result of each record
};

struct GroupedEvents {
  std::vector<EventResult> results;  // of each event of the request; those that are refused have their problem
  std::vector<EventGroup> groups;    // of the others
  // The largest rules version that an event's form needs and that its shard does not fold by yet; 0: none is missing.
  std::uint16_t rules_missing = 0;
};

// `door` is what the records call the door; `caller` sent the request.
GroupedEvents group_events(std::vector<Received> events, units::Instant recorded_at, const http::Caller& caller,
                           std::string_view door, runtime::Runtime& runtime);

}  // namespace granary::entry
