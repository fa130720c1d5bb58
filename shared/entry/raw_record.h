// From an event that a door takes to the raw record of an inbox, and the inbox partition that it goes to. Pure
// functions; any thread.
#pragma once

#include <string_view>
#include <variant>

#include "shared/entry/cloud_events.h"
#include "shared/ledger/ledger.h"
#include "shared/machine/topology.h"

namespace granary::entry {

struct RawRecord {
  machine::Topic topic{};
  std::uint16_t partition = 0;
  std::uint16_t form = 1;  // the rules version that has to be in force there before it is appended
  Bytes bytes;             // events::Raw, see shared/events/record.h
};

// The record of `event`, whose texts are moved into it. `caller` is who sent it, well-formed (message.h): the record
// has it beside the event's actor, which may be none. A FormError (`record_too_large`): the record would be larger than
// a journal takes.
std::variant<RawRecord, codec::FormError> make_raw_record(CloudEvent&& event, std::string_view door,
                                                          const http::Caller& caller, units::Instant recorded_at,
                                                          const runtime::Ledger& ledger);

}  // namespace granary::entry
