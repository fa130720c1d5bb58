// The outward streams (billing, notices, rejected): one event a record, as a CloudEvent 1.0.2 in Kafka's binary mode
// (attributes as ce_* headers, the data as JSON; https://github.com/cloudevents/spec, Kafka Protocol Binding 1.0.2).
// `ce_id` is partition and lane number, so that a consumer that upserts by it sees each event once. Any thread.
#pragma once

#include <optional>
#include <string>

#include "shared/fold/fold.h"
#include "shared/journal/journal.h"

namespace granary::runtime {

// The records of a packet's events from number `from` on.
std::vector<journal::Record> outward_records(const OutPacket& packet, std::uint64_t from, const Id16& ledger);

// SHA-256 of the value that the event gets as a record.
Hash32 outward_hash(BytesView event);

// The lane number in a record's ce_id; nullopt: it has none.
std::optional<std::uint64_t> outward_number(const journal::Record& record);

// The value of a header; empty where there is none.
std::string_view header(const journal::Record& record, std::string_view name);

}  // namespace granary::runtime
