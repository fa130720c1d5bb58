#include "shared/entry/raw_record.h"

#include <fmt/format.h>

#include "shared/base/check.h"
#include "shared/events/record.h"
#include "shared/journal/journal.h"
#include "shared/proof/hash.h"

namespace granary::entry {
namespace {

events::CallerKind kind_of(const http::Caller& caller) {
  switch (caller.kind) {
    case http::CallerKind::open:
      return events::CallerKind::open;
    case http::CallerKind::token:
      return events::CallerKind::token;
    case http::CallerKind::oidc:
      return events::CallerKind::oidc;
    case http::CallerKind::mtls:
      return events::CallerKind::mtls;
  }
  GRANARY_CHECK(false, "a caller of no kind got past the listener");
}

}  // namespace

std::variant<RawRecord, codec::FormError> make_raw_record(CloudEvent&& event, std::string_view door,
                                                          const http::Caller& caller, units::Instant recorded_at,
                                                          const runtime::Ledger& ledger) {
  events::Raw raw;
  raw.source = std::move(event.source);
  raw.id = std::move(event.id);
  raw.time = event.time;
  raw.actor = std::move(event.actor);
  raw.caller = {kind_of(caller), caller.id};
  raw.collector = std::move(event.collector);
  raw.door = door;
  raw.trace = std::move(event.trace);
  raw.recorded_at = recorded_at;
  raw.notes = std::move(event.notes);
  // An event that is its own root leaves `root` empty.
  const auto entry = events::entry_of(event.event);
  GRANARY_CHECK(entry.has_value(), "a door took an event that does not enter by doors");
  if (entry->root != nullptr) raw.root = *entry->root;
  events::encode_event(event.event, raw.substance);

  RawRecord record;
  record.form = std::max(events::form_of(event.event), codec::form_of(raw));
  record.topic = entry->topic;
  if (record.topic == machine::Topic::usage) {
    const bool is_root = raw.root.source.empty();
    record.partition =
        proof::shard_of({is_root ? raw.source : raw.root.source, is_root ? raw.id : raw.root.id}, ledger.partitions);
  }
  record.bytes = events::encode_record(ledger.id, raw);
  if (record.bytes.size() > journal::kRecordBytesMax)
    return codec::FormError{"record_too_large", "/data", std::to_string(record.bytes.size()) + " bytes",
                            fmt::format("send an event of at most {} KiB, such as a list in several events",
                                        journal::kRecordBytesMax / 1024)};
  return record;
}

}  // namespace granary::entry
