#include "shared/runtime/outward.h"

#include <charconv>

#include "shared/base/check.h"
#include "shared/events/json.h"
#include "shared/proof/hash.h"

namespace granary::runtime {
namespace {

// What the record is keyed by: finance's streams by organisation, notices by project, refusals by nothing.
struct KeyOf {
  template <class T>
  Bytes operator()(const T& event) const {
    if constexpr (std::is_same_v<T, events::ChargeRated>)
      return event.organisation;
    else if constexpr (requires { event.project; })
      return event.project;
    else
      return {};
  }
};

}  // namespace

std::vector<journal::Record> outward_records(const OutPacket& packet, std::uint64_t from, const Id16& ledger) {
  std::vector<journal::Record> records;
  auto view = PacketView::parse(events::body_of(packet.bytes));
  GRANARY_CHECK(view.has_value(), "an outbox row is no packet");
  const std::string source =
      "urn:granary:" + to_hex(view_of(ledger)) + ":" + std::string(machine::machine_name(view->machine));
  thread_local events::EventDecoder decoder;  // warm
  Bytes value;
  records.reserve(static_cast<std::size_t>(packet.last - packet.first + 1));
  for (std::uint64_t number = view->first; const auto bytes = view->next(); ++number) {
    if (number < from) continue;
    GRANARY_CHECK(decoder.decode(*bytes) == events::DecodeResult::ok, "an event of the outbox does not decode");
    journal::Record& record = records.emplace_back();
    record.headers = {{"ce_specversion", "1.0"},
                      {"ce_id", std::to_string(packet.target.partition) + "-" + std::to_string(number)},
                      {"ce_source", source},
                      {"ce_type", std::string(events::type_name(events::type_of(decoder.event())))},
                      {"content-type", "application/json"}};
    record.key = std::visit(KeyOf{}, decoder.event());
    value.clear();
    events::write_json(decoder.event(), value);
    record.value = value;
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
