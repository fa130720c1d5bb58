#include "services/metering/http/routes.h"

#include <map>
#include <memory>

#include "services/metering/core/metering_machine.h"
#include "shared/door/read.h"
#include "shared/json/writer.h"

namespace granary::metering {
namespace {

using machine::MachineKind;

void add_member(std::string& out, std::string_view name, std::string_view value) {
  out += out.back() == '{' ? "" : ",";
  json::append_json_string(out, name);
  out += ':';
  json::append_json_string(out, value);
}

void add_member(std::string& out, std::string_view name, std::uint64_t value) {
  out += out.back() == '{' ? "" : ",";
  json::append_json_string(out, name);
  out += ':' + std::to_string(value);
}

const MeteringMachine& metering(const machine::Machine& machine) {
  return static_cast<const MeteringMachine&>(machine);
}

std::string source_row(std::string_view source, const SourceRow& row) {
  std::string out = "{";
  add_member(out, "source", source);
  add_member(out, "received", row.received);
  add_member(out, "metered", row.metered);
  add_member(out, "repeated", row.repeated);
  add_member(out, "rejected", row.rejected);
  add_member(out, "pending", row.pending);
  add_member(out, "interim", row.interim);
  if (row.complete_through != Instant()) {
    add_member(out, "complete_through", units::format_time(row.complete_through));
    add_member(out, "records_stated", row.records);
  }
  return out + "}";
}

void add(SourceRow& sum, const SourceRow& row) {
  sum.received += row.received;
  sum.metered += row.metered;
  sum.repeated += row.repeated;
  sum.rejected += row.rejected;
  sum.pending += row.pending;
  sum.interim += row.interim;
  sum.complete_through = std::max(sum.complete_through, row.complete_through);
  sum.records = std::max(sum.records, row.records);
}

}  // namespace

void add_routes(http::Router& router, runtime::Runtime& runtime) {
  router.add(
      "GET", "/v1/sources", [&runtime](http::Request request, const http::PathParameters&, http::Responder responder) {
        auto sums = std::make_shared<std::map<std::string, SourceRow, std::less<>>>();
        door::read_all(
            runtime, std::move(request), std::move(responder), MachineKind::metering,
            [sums](machine::Machine& machine, const runtime::ShardStatus&) {
              metering(machine).each_source(
                  [&](std::string_view source, const SourceRow& row) { add((*sums)[std::string(source)], row); });
            },
            [sums] {
              std::vector<std::string> rows;
              for (const auto& [source, row] : *sums) rows.push_back(source_row(source, row));
              return door::page(rows, "");
            });
      });
  router.add("GET", "/v1/unbound",
             [&runtime](http::Request request, const http::PathParameters&, http::Responder responder) {
               auto counts = std::make_shared<std::map<std::pair<std::string, std::string>, std::uint64_t>>();
               door::read_all(
                   runtime, std::move(request), std::move(responder), MachineKind::metering,
                   [counts](machine::Machine& machine, const runtime::ShardStatus&) {
                     metering(machine).each_waiting(
                         [&](std::string_view cluster, std::string_view account, std::uint64_t count) {
                           (*counts)[{std::string(cluster), std::string(account)}] += count;
                         });
                   },
                   [counts] {
                     std::vector<std::string> rows;
                     for (const auto& [account, count] : *counts) {
                       std::string& row = rows.emplace_back("{");
                       add_member(row, "cluster", account.first);
                       add_member(row, "account", account.second);
                       add_member(row, "waiting", count);
                       row += "}";
                     }
                     return door::page(rows, "");
                   });
             });
}

}  // namespace granary::metering
