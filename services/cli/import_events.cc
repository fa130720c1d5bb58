#include "services/cli/import_events.h"

#include "shared/base/version.h"
#include "shared/json/writer.h"
#include "shared/units/amount.h"

namespace granary::cli {
namespace {

using units::Instant;

// What was held for so long, in the base unit of its class as the readers know it.
void add_amount(std::string& out, const import::ResourceQuantity& resource, std::int64_t ran_ms) {
  const bool is_memory = resource.class_name == "memory";
  const units::Decimal quantity = units::parse_decimal(resource.quantity, 3);
  GRANARY_CHECK(quantity.trouble == units::DecimalTrouble::none, "a reader's quantity is no decimal number");
  const auto kind = is_memory ? units::UnitKind::byte_ms : units::UnitKind::resource_us;
  const units::Held held = units::hold(units::Quantity(quantity.scaled), ran_ms, kind);
  // Beyond 2^96 base units the ledger refuses it; the largest number says so without wrapping.
  const units::Int128 amount = held.trouble == units::HoldTrouble::none ? held.amount.value() : units::kAmountMax + 1;
  add_member(out, "amount", units::format_integer(amount));
  add_member(out, "unit", units::unit_name(kind));
}

}  // namespace

void add_member(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() != '{') out += ',';
  json::append_json_string(out, name);
  out += ':';
  json::append_json_string(out, value);
}

std::string cloud_event(std::string_view type, const std::string& source, const std::string& id, Instant time,
                        const std::string& data) {
  std::string out = R"({"specversion":"1.0","datacontenttype":"application/json","actor":"granary-import")";
  add_member(out, "collector", std::string("granary-import/") + kVersion);
  add_member(out, "type", type);
  add_member(out, "source", source);
  add_member(out, "id", id);
  add_member(out, "time", units::format_time(time));
  return out + ",\"data\":" + data + "}";
}

std::string usage_event(const import::UsageRow& row, const import::Options& options) {
  std::string data = "{";
  if (const auto project = import::project_of(row, options)) {
    add_member(data, "project", *project);
  } else {
    add_member(data, "cluster", row.cluster);
    add_member(data, "account", row.account);
  }
  data += ",\"resources\":[";
  for (std::size_t i = 0; i < row.resources.size(); ++i) {
    data += i > 0 ? ",{" : "{";
    add_member(data, "class", row.resources[i].class_name);
    if (row.ran_ms) {
      add_amount(data, row.resources[i], *row.ran_ms);
    } else {
      add_member(data, "quantity", row.resources[i].quantity);
    }
    data += '}';
  }
  data += ']';
  add_member(data, "start", units::format_time(Instant(row.start_ms)));
  add_member(data, "end", units::format_time(Instant(row.end_ms)));
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"state", row.state},
                                    {"partition", row.partition},
                                    {"qos", row.qos},
                                    {"advance_reservation", row.advance_reservation}})
    if (!value.empty()) add_member(data, name, value);
  if (row.has_runs) {
    data += ",\"job\":{";
    add_member(data, "source", row.source);
    add_member(data, "id", row.job);
    data += '}';
  }
  return cloud_event("granary.usage.reported.v1", row.source, row.id, Instant(row.end_ms), data + "}");
}

std::string stated_event(const std::string& source, const std::string& id, Instant through, std::uint64_t records) {
  std::string data = "{";
  add_member(data, "source", source);
  add_member(data, "complete_through", units::format_time(through));
  data += ",\"records\":" + std::to_string(records) + "}";
  return cloud_event("granary.source.stated.v1", source, id, through, data);
}

}  // namespace granary::cli
