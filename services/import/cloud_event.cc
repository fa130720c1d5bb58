#include "services/import/cloud_event.h"

#include "shared/base/check.h"
#include "shared/base/version.h"
#include "shared/json/writer.h"
#include "shared/units/amount.h"

namespace granary::import {
namespace {

using units::Instant;
using Writer = json::Writer<std::string>;

// What was held for `ran_ms`, in the base unit of its class as the readers know it.
void write_amount(Writer& out, const ResourceQuantity& resource, std::int64_t ran_ms) {
  const bool is_memory = resource.class_name == "memory";
  const units::Decimal quantity = units::parse_decimal(resource.quantity, 3);
  GRANARY_CHECK(quantity.trouble == units::DecimalTrouble::none, "a reader's quantity is no decimal number");
  const auto kind = is_memory ? units::UnitKind::byte_ms : units::UnitKind::resource_us;
  const units::OverTime held = units::over_time(units::Quantity(quantity.scaled), ran_ms, kind);
  // Beyond 2^96 base units the ledger refuses it; the largest number says so without wrapping.
  const units::Int128 amount =
      held.trouble == units::OverTimeTrouble::none ? held.amount.value() : units::kAmountMax + 1;
  out.member("amount", units::format_integer(amount)).member("unit", units::unit_name(kind));
}

void write_resources(Writer& out, const UsageRow& row) {
  out.name("resources").begin_array();
  for (const ResourceQuantity& resource : row.resources) {
    out.begin_object().member("class", resource.class_name);
    if (row.ran_ms)
      write_amount(out, resource, *row.ran_ms);
    else
      out.member("quantity", resource.quantity);
    out.end_object();
  }
  out.end_array();
}

}  // namespace

std::string cloud_event(std::string_view type, std::string_view source, std::string_view id, Instant time,
                        std::string_view data) {
  std::string text;
  Writer out(text);
  out.begin_object().member("specversion", "1.0").member("datacontenttype", "application/json");
  out.member("actor", "granary-import").member("collector", std::string("granary-import/") + kVersion);
  out.member("type", type).member("source", source).member("id", id).member("time", units::format_time(time));
  out.name("data").json(data).end_object();
  return text;
}

std::string usage_event(const UsageRow& row, const Options& options) {
  std::string data;
  Writer out(data);
  out.begin_object();
  if (const auto project = project_of(row, options))
    out.member("project", *project);
  else
    out.member("cluster", row.cluster).member("account", row.account);
  write_resources(out, row);
  out.member("start", units::format_time(Instant(row.start_ms)));
  out.member("end", units::format_time(Instant(row.end_ms)));
  const auto member_if_known = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out.member(name, value);
  };
  member_if_known("state", row.state);
  member_if_known("partition", row.partition);
  member_if_known("qos", row.qos);
  member_if_known("advance_reservation", row.advance_reservation);
  if (row.has_runs) out.name("job").begin_object().member("source", row.source).member("id", row.job).end_object();
  out.end_object();
  return cloud_event("granary.usage.reported.v1", row.source, row.id, Instant(row.end_ms), data);
}

std::string stated_event(std::string_view source, std::string_view id, Instant through, std::uint64_t records) {
  std::string data;
  Writer out(data);
  out.begin_object().member("source", source).member("complete_through", units::format_time(through));
  out.member("records", records).end_object();
  return cloud_event("granary.source.stated.v1", source, id, through, data);
}

}  // namespace granary::import
