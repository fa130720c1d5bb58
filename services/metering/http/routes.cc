#include "services/metering/http/routes.h"

#include <array>
#include <map>
#include <memory>

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

// A shard's row onto the sum over the shards; a statement reaches each of them.
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

class Sources final : public ask::Gathering {
 public:
  void add_shard(machine::Machine& machine) override {
    metering(machine).each_source(
        [this](std::string_view source, const SourceRow& row) { add(sums_[std::string(source)], row); });
  }
  // As source_row() writes it.
  void add_row(const json::Value& row) override {
    SourceRow read;
    read.received = ask::number_in(row, "received");
    read.metered = ask::number_in(row, "metered");
    read.repeated = ask::number_in(row, "repeated");
    read.rejected = ask::number_in(row, "rejected");
    read.pending = ask::number_in(row, "pending");
    read.interim = ask::number_in(row, "interim");
    read.records = ask::number_in(row, "records_stated");
    if (const auto through = units::parse_time(ask::text_in(row, "complete_through"));
        through.trouble == units::TimeTrouble::none)
      read.complete_through = through.at;
    add(sums_[ask::text_in(row, "source")], read);
  }
  [[nodiscard]] std::vector<std::string> rows() const override {
    std::vector<std::string> rows;
    rows.reserve(sums_.size());
    for (const auto& [source, row] : sums_) rows.push_back(source_row(source, row));
    return rows;
  }

 private:
  std::map<std::string, SourceRow> sums_;
};

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

class Unbound final : public ask::Gathering {
 public:
  void add_shard(machine::Machine& machine) override {
    metering(machine).each_waiting([this](std::string_view cluster, std::string_view account, const WaitingHead& head) {
      add(cluster, account, kBinding, head.count - head.unmeasured);
      add(cluster, account, kClasses, head.unmeasured);
    });
  }
  // As unbound_row() writes it.
  void add_row(const json::Value& row) override {
    add(ask::text_in(row, "cluster"), ask::text_in(row, "account"), ask::text_in(row, "waits_for"),
        ask::number_in(row, "waiting"));
  }
  [[nodiscard]] std::vector<std::string> rows() const override {
    std::vector<std::string> rows;
    rows.reserve(counts_.size());
    for (const auto& [what, count] : counts_) rows.push_back(unbound_row(what[0], what[1], what[2], count));
    return rows;
  }

 private:
  void add(std::string_view cluster, std::string_view account, std::string_view waits_for, std::uint64_t waiting) {
    if (waiting > 0) counts_[{std::string(cluster), std::string(account), std::string(waits_for)}] += waiting;
  }
  std::map<std::array<std::string, 3>, std::uint64_t> counts_;  // by cluster, account and what is waited for
};

}  // namespace

routes::Table routes(const ask::Reach& reach) {
  routes::Table table;
  table.push_back({"GET",
                   "/v1/sources",
                   MachineKind::metering,
                   {Role::scheduler, Role::auditor, Role::operates},
                   Scope::ledger,
                   [reach](http::Request request, const http::PathParameters&, http::Responder responder) {
                     ask::read_all(reach, std::move(request), std::move(responder), MachineKind::metering,
                                   std::make_unique<Sources>());
                   }});
  table.push_back({"GET",
                   "/v1/unbound",
                   MachineKind::metering,
                   {Role::scheduler, Role::allocation, Role::auditor, Role::operates},
                   Scope::ledger,
                   [reach](http::Request request, const http::PathParameters&, http::Responder responder) {
                     ask::read_all(reach, std::move(request), std::move(responder), MachineKind::metering,
                                   std::make_unique<Unbound>());
                   }});
  return table;
}

}  // namespace granary::metering
