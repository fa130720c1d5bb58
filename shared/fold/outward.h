// The outward streams (billing, notices, rejected): one event a record, as a CloudEvent 1.0.2 in Kafka's binary mode
// (attributes as ce_* headers, the data as JSON; https://github.com/cloudevents/spec, Kafka Protocol Binding 1.0.2).
// `ce_id` is partition and lane number, so that a consumer that upserts by it sees each event once. Any thread.
#pragma once

#include <optional>
#include <string>

#include "shared/fold/fold.h"
#include "shared/journal/journal.h"

namespace granary::runtime {

// The records of a packet's events from number `from` on. nullopt: a newer build emitted one that this build cannot
// read.
std::optional<std::vector<journal::Record>> outward_records(const OutPacket& packet, std::uint64_t from,
                                                            const Id16& ledger);

// Two builds that fold the same records must agree on this. The hint of a refusal is advice to people, and a later
// build may word it better; so it is not compared.
//
// SHA-256 of the value that the event gets as a record, without its hint.
Hash32 outward_hash(BytesView event);
// The same of a record's value.
Hash32 outward_hash_of_value(BytesView value);
// The event's bytes without its hint, as they are chained in its lane. Refers to `event` or to `scratch`.
BytesView outward_chained(BytesView event, Bytes& scratch);

// The lane number in a record's ce_id; nullopt: it has none.
std::optional<std::uint64_t> outward_number(const journal::Record& record);

// The value of a header; empty if there is none.
std::string_view header(const journal::Record& record, std::string_view name);

}  // namespace granary::runtime
