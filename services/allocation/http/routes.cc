#include "services/allocation/http/routes.h"

#include "services/allocation/core/machine.h"
#include "shared/ask/folding_again.h"
#include "shared/ask/list.h"
#include "shared/ask/read.h"
#include "shared/codec/json_fields.h"
#include "shared/http/problem.h"
#include "shared/proof/hash.h"

namespace granary::allocation {
namespace {

using codec::kOptional;
using codec::kRequired;
using machine::MachineKind;
using routes::Role;
using routes::Roles;
using routes::Scope;

AllocationMachine& allocation(machine::Machine& machine) {
  return static_cast<AllocationMachine&>(machine);
}

// One class of a project, as it goes out. Amounts are base units. A list leaves the lots out; there a project of which
// nothing was awarded or charged yet is one row without resource and unit.
struct BalanceAnswer {
  std::string project, organisation, resource;
  UnitKind unit{};
  Amount granted, used, reserved, running, expired, withdrawn, available, usable, uncovered;
  Instant as_of, complete_through;
  std::optional<std::vector<Lot>> lots;
  std::vector<events::Ref> refs;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "organisation", s.organisation, kRequired);
    visit(3, "resource", s.resource, kRequired);
    visit(4, "unit", s.unit, kRequired);
    visit(5, "granted", s.granted, kRequired);
    visit(6, "used", s.used, kRequired);
    visit(7, "reserved", s.reserved, kRequired);
    visit(8, "running", s.running, kRequired);
    visit(9, "expired", s.expired, kRequired);
    visit(10, "withdrawn", s.withdrawn, kRequired);
    visit(11, "available", s.available, kRequired);
    visit(12, "usable", s.usable, kRequired);
    visit(13, "uncovered", s.uncovered, kRequired);
    visit(14, "as_of", s.as_of, kRequired);
    visit(15, "complete_through", s.complete_through, kRequired);
    visit(16, "lots", s.lots, kOptional);
    visit(17, "refs", s.refs, kOptional);
  }
};

struct UsageAnswer {
  std::string project, resource;
  UnitKind unit{};
  std::uint64_t records = 0;
  Amount quantity;
  std::string state;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "resource", s.resource, kRequired);
    visit(3, "unit", s.unit, kRequired);
    visit(4, "records", s.records, kRequired);
    visit(5, "quantity", s.quantity, kRequired);
    visit(6, "state", s.state, kRequired);
  }
};

template <class T>
std::string json_of(const T& value) {
  Sink out;
  codec::JsonFields{out}.write(value);
  return std::string(out.view());
}

enum class Lots : std::uint8_t { named, left_out };

std::string json_of(const ProjectBalance& project, const ClassBalance& balance, Lots lots, const runtime::AsOf& as_of) {
  return ask::marked_row(
      json_of(BalanceAnswer{project.project, project.facts.organisation, balance.class_name, balance.unit,
                            balance.granted, balance.used, balance.reserved, balance.running, balance.expired,
                            balance.withdrawn, balance.available, balance.usable, balance.uncovered, as_of.now,
                            as_of.complete, lots == Lots::named ? std::optional(balance.lots) : std::nullopt,
                            project.facts.refs}),
      as_of);
}

// A project's rows of the list.
void add_rows(const ProjectBalance& project, const runtime::AsOf& as_of, std::vector<std::string>& rows) {
  for (const ClassBalance& balance : project.classes) rows.push_back(json_of(project, balance, Lots::left_out, as_of));
  if (project.classes.empty()) rows.push_back(json_of(project, {}, Lots::left_out, as_of));
}

http::Response balance_answer(AllocationMachine& machine, const runtime::AsOf& as_of, const std::string& project) {
  const auto balance = machine.balance(project, as_of.now);
  if (!balance) {
    http::Problem problem;
    problem.status = 404;
    problem.type = "unknown_project";
    problem.title = "Nobody knows this project";
    problem.detail = "`" + project + "`; usage that names it and waits: " + std::to_string(machine.waiting_of(project));
    problem.hint = "register it by granary.project.registered.v1, or ask after the token of its registration";
    return make_response(problem);
  }
  http::Response response{.content_type = "application/json"};
  json::Writer out(response.body);
  out.begin_array();
  for (const ClassBalance& one : balance->classes) out.json(json_of(*balance, one, Lots::named, as_of));
  out.end_array();
  return response;
}

struct UnassignedAnswer {
  std::string source, project;
  std::uint64_t waiting = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, codec::kRequired);
    visit(2, "project", s.project, codec::kRequired);
    visit(3, "waiting", s.waiting, codec::kRequired);
  }
};

// A project lives in one shard, so no two rows speak of the same.
class Unassigned final : public ask::Gathering {
 public:
  void add_shard(machine::Machine& machine) override {
    for (const auto& [key, waiting] : allocation(machine).waiting_by_source())
      rows_.push_back(json_of(UnassignedAnswer{key.first, key.second, waiting}));
  }
  void add_row(const json::Value& row) override {
    rows_.push_back(json_of(
        UnassignedAnswer{ask::text_in(row, "source"), ask::text_in(row, "project"), ask::number_in(row, "waiting")}));
  }
  [[nodiscard]] std::vector<std::string> rows() const override { return rows_; }

 private:
  std::vector<std::string> rows_;
};

constexpr Roles kProjects{Role::portal,  Role::scheduler, Role::project, Role::allocation,
                          Role::finance, Role::auditor,   Role::operates};

}  // namespace

routes::Table routes(const ask::Reach& reach) {
  routes::Table table;
  table.push_back({"GET",
                   "/v1/unassigned",
                   MachineKind::allocation,
                   {Role::scheduler, Role::allocation, Role::auditor, Role::operates},
                   Scope::ledger,
                   [reach](http::Request request, const http::PathParameters&, http::Responder responder) {
                     ask::read_all(reach, std::move(request), std::move(responder), MachineKind::allocation,
                                   std::make_unique<Unassigned>());
                   }});
  table.push_back({"GET", "/v1/projects/{project}/balance", MachineKind::allocation, kProjects, Scope::organisation,
                   [reach](http::Request request, const http::PathParameters& path, http::Responder responder) {
                     const std::string& project = path["project"];
                     const std::uint16_t shard = proof::shard_of({project}, reach.runtime.partitions());
                     ask::read(reach, std::move(request), std::move(responder), MachineKind::allocation, shard,
                               [project](machine::Machine& machine, const runtime::AsOf& as_of) {
                                 return balance_answer(allocation(machine), as_of, project);
                               });
                   }});
  table.push_back({"GET", "/v1/projects", MachineKind::allocation, kProjects, Scope::organisation,
                   [reach](http::Request request, const http::PathParameters&, http::Responder responder) {
                     auto ref = ask::ref_of(request);
                     if (!ref.ok()) return responder(http::bad_parameter("ref", ref.error()));
                     ask::read_list(reach, std::move(request), std::move(responder), MachineKind::allocation,
                                    {"/v1/projects", {"ref"}},
                                    [ref = std::move(*ref)](machine::Machine& machine, const runtime::AsOf& as_of,
                                                            const Bytes& after, std::size_t limit,
                                                            std::vector<std::string>& rows) -> std::optional<Bytes> {
                                      if (ref) {
                                        if (const auto named = allocation(machine).project_named(*ref, as_of.now))
                                          add_rows(*named, as_of, rows);
                                        return std::nullopt;
                                      }
                                      auto page = allocation(machine).projects(after, limit, as_of.now);
                                      for (const ProjectBalance& project : page.rows) add_rows(project, as_of, rows);
                                      return page.last;
                                    });
                   }});
  table.push_back({"GET", "/v1/usage", MachineKind::allocation, kProjects, Scope::organisation,
                   [reach](http::Request request, const http::PathParameters&, http::Responder responder) {
                     ask::read_list(
                         reach, std::move(request), std::move(responder), MachineKind::allocation, {"/v1/usage"},
                         [](machine::Machine& machine, const runtime::AsOf&, const Bytes& after, std::size_t limit,
                            std::vector<std::string>& rows) {
                           auto page = allocation(machine).usage(after, limit);
                           for (const UsageTotal& total : page.rows)
                             rows.push_back(
                                 json_of(UsageAnswer{total.project, total.class_name, total.unit, total.records,
                                                     total.quantity, total.unassigned ? "unassigned" : "posted"}));
                           return page.last;
                         });
                   }});
  return table;
}

}  // namespace granary::allocation
