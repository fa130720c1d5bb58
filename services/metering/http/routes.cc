#include "services/metering/http/routes.h"

#include <array>
#include <map>

#include "services/metering/core/machine.h"
#include "shared/ask/list.h"
#include "shared/ask/read.h"
#include "shared/json/writer.h"

namespace granary::metering {
namespace {

using machine::MachineKind;
using routes::Role;
using routes::Roles;
using routes::Scope;

const MeteringMachine& metering(const machine::Machine& machine) {
  return static_cast<const MeteringMachine&>(machine);
}

std::string source_row(std::string_view source, const SourceRow& row) {
  std::string text;
  json::Writer out(text);
  out.begin_object()
      .member("source", source)
      .member("received", row.received)
      .member("metered", row.metered)
      .member("repeated", row.repeated)
      .member("rejected", row.rejected)
      .member("pending", row.pending)
      .member("interim", row.interim);
  if (row.complete_through != Instant())
    out.member("complete_through", units::format_time(row.complete_through)).member("records_stated", row.records);
  out.end_object();
  return text;
}

std::uint64_t number_in(const json::Value& row, std::string_view name) {
  const json::Value* value = row.find(name);
  return static_cast<std::uint64_t>(value == nullptr ? 0 : value->integer().value_or(0));
}

std::string text_in(const json::Value& row, std::string_view name) {
  const json::Value* value = row.find(name);
  return value == nullptr ? std::string() : value->string();
}

// A shard's row, as source_row() writes it, onto the sum over the shards; a statement reaches each of them.
void add(SourceRow& sum, const json::Value& row) {
  sum.received += number_in(row, "received");
  sum.metered += number_in(row, "metered");
  sum.repeated += number_in(row, "repeated");
  sum.rejected += number_in(row, "rejected");
  sum.pending += number_in(row, "pending");
  sum.interim += number_in(row, "interim");
  if (const auto through = units::parse_time(text_in(row, "complete_through"));
      through.trouble == units::TimeTrouble::none)
    sum.complete_through = std::max(sum.complete_through, through.at);
  sum.records = std::max(sum.records, number_in(row, "records_stated"));
}

// What usage of an account waits for, as /v1/unbound says it.
constexpr std::string_view kBinding = "binding", kClasses = "classes";

std::string unbound_row(std::string_view cluster, std::string_view account, std::string_view waits_for,
                        std::uint64_t waiting) {
  std::string row;
  json::Writer(row)
      .begin_object()
      .member("cluster", cluster)
      .member("account", account)
      .member("waits_for", waits_for)
      .member("waiting", waiting)
      .end_object();
  return row;
}

http::Response sources(const std::vector<json::Value>& shards) {
  std::map<std::string, SourceRow> sums;
  for (const json::Value& row : shards) add(sums[text_in(row, "source")], row);
  std::vector<std::string> rows;
  rows.reserve(sums.size());
  for (const auto& [source, row] : sums) rows.push_back(source_row(source, row));
  return ask::page(rows, "");
}

http::Response unbound(const std::vector<json::Value>& shards) {
  std::map<std::array<std::string, 3>, std::uint64_t> counts;  // by cluster, account and what is waited for
  for (const json::Value& row : shards)
    counts[{text_in(row, "cluster"), text_in(row, "account"), text_in(row, "waits_for")}] += number_in(row, "waiting");
  std::vector<std::string> rows;
  rows.reserve(counts.size());
  for (const auto& [what, count] : counts) rows.push_back(unbound_row(what[0], what[1], what[2], count));
  return ask::page(rows, "");
}

}  // namespace

routes::Table routes(const ask::Reach& reach) {
  routes::Table table;
  table.push_back({"GET",
                   "/v1/sources",
                   MachineKind::metering,
                   {Role::scheduler, Role::auditor, Role::operates},
                   Scope::ledger,
                   [reach](http::Request request, const http::PathParameters&, http::Responder responder) {
                     ask::read_all(
                         reach, std::move(request), std::move(responder), MachineKind::metering,
                         [](machine::Machine& machine, std::vector<std::string>& rows) {
                           metering(machine).each_source([&](std::string_view source, const SourceRow& row) {
                             rows.push_back(source_row(source, row));
                           });
                         },
                         sources);
                   }});
  table.push_back({"GET",
                   "/v1/unbound",
                   MachineKind::metering,
                   {Role::scheduler, Role::allocation, Role::auditor, Role::operates},
                   Scope::ledger,
                   [reach](http::Request request, const http::PathParameters&, http::Responder responder) {
                     ask::read_all(
                         reach, std::move(request), std::move(responder), MachineKind::metering,
                         [](machine::Machine& machine, std::vector<std::string>& rows) {
                           metering(machine).each_waiting(
                               [&](std::string_view cluster, std::string_view account, const WaitingHead& head) {
                                 const std::uint64_t unbound = head.count - head.unmeasured;
                                 if (unbound > 0) rows.push_back(unbound_row(cluster, account, kBinding, unbound));
                                 if (head.unmeasured > 0)
                                   rows.push_back(unbound_row(cluster, account, kClasses, head.unmeasured));
                               });
                         },
                         unbound);
                   }});
  return table;
}

}  // namespace granary::metering
