#include "shared/fold/outward.h"

#include <charconv>

#include "shared/base/check.h"
#include "shared/events/json.h"
#include "shared/proof/hash.h"

namespace granary::runtime {
std::vector<journal::Record> outward_records(const OutPacket& packet, std::uint64_t from, const Id16& ledger) {
  std::vector<journal::Record> records;
  auto view = PacketView::parse(events::body_of(packet.bytes));
  GRANARY_CHECK(view.has_value(), "an outbox row is no packet");
  const std::string source =
      "urn:granary:" + to_hex(view_of(ledger)) + ":" + std::string(machine::machine_name(view->machine));
  thread_local events::EventDecoder decoder;  // warm
  const journal::Headers before = {{"ce_specversion", "1.0"}};
  journal::Headers behind;  // of the type `type`
  auto type = events::EventType::none;
  journal::Headers headers;
  char id[machine::kOutwardIdMax];
  records.reserve(static_cast<std::size_t>(packet.last - packet.first + 1));
  for (std::uint64_t number = view->first; const auto bytes = view->next(); ++number) {
    if (number < from) continue;
    GRANARY_CHECK(decoder.decode(*bytes) == events::DecodeResult::ok, "an event of the outbox does not decode");
    const events::Event& event = decoder.event();
    if (events::type_of(event) != type) {
      type = events::type_of(event);
      behind = {{"ce_source", source}, {"ce_type", events::type_name(type)}, {"content-type", "application/json"}};
    }
    headers = before;
    headers.add("ce_id", {id, machine::write_outward_id(id, packet.target.partition, number)});
    headers.add(behind);
    journal::Record& record = records.emplace_back();
    record.headers = headers;  // a copy, which takes no more memory than it needs
    record.key = events::outward_key(event);
    events::write_json(event, record.value);
  }
  return records;
}

Hash32 outward_hash(BytesView event) {
  thread_local events::EventDecoder decoder;  // warm
  GRANARY_CHECK(decoder.decode(event) == events::DecodeResult::ok, "an event that was emitted does not decode");
  std::string value;
  events::write_json(decoder.event(), value);
  return proof::sha256(value);
}

std::string_view header(const journal::Record& record, std::string_view name) {
  for (const auto& [key, value] : record.headers)
    if (key == name) return value;
  return {};
}

std::optional<std::uint64_t> outward_number(const journal::Record& record) {
  const std::string_view id = header(record, "ce_id");
  const auto dash = id.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto end = id.data() + id.size();
  const auto [at, error] = std::from_chars(id.data() + dash + 1, end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

}  // namespace granary::runtime
