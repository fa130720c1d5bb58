#include "shared/fold/outward.h"

#include <charconv>

#include "shared/base/check.h"
#include "shared/events/json.h"
#include "shared/proof/hash.h"

namespace granary::runtime {
namespace {

// A JSON object without its member "hint", if that is a string. Within a string each quote has a backslash before it,
// so the search finds no other place.
std::string without_hint(BytesView value) {
  constexpr std::string_view kHint = ",\"hint\":\"";
  const std::size_t at = value.find(kHint);
  if (at == BytesView::npos) return std::string(value);
  std::size_t end = at + kHint.size();
  while (end < value.size() && value[end] != '"') end += value[end] == '\\' ? 2 : 1;
  return std::string(value.substr(0, at)).append(value.substr(std::min(end + 1, value.size())));
}

}  // namespace

std::optional<std::vector<journal::Record>> outward_records(const OutPacket& packet, std::uint64_t from,
                                                            const Id16& ledger) {
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
    const auto read = decoder.decode(*bytes);
    if (read == events::DecodeResult::newer || read == events::DecodeResult::unknown_type) return std::nullopt;
    GRANARY_CHECK(read == events::DecodeResult::ok, "an event of the outbox does not decode");
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
  return outward_hash_of_value(value);
}

Hash32 outward_hash_of_value(BytesView value) {
  return proof::sha256(without_hint(value));
}

BytesView outward_chained(BytesView event, Bytes& scratch) {
  if (events::peek_type(event) != events::kType<events::RecordRefused>) return event;
  thread_local events::EventDecoder decoder;  // warm
  GRANARY_CHECK(decoder.decode(event) == events::DecodeResult::ok, "an event that was emitted does not decode");
  auto refused = std::get<events::RecordRefused>(decoder.event());
  refused.hint.clear();
  scratch.clear();
  events::encode_event(refused, scratch);
  return scratch;
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
