#include "services/intake/http/routes.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/intake/core/machine.h"
#include "shared/ask/list.h"
#include "shared/ask/read.h"
#include "shared/codec/json_fields.h"
#include "shared/http/problem.h"

namespace granary::intake {
namespace {

using http::PathParameters;
using http::Request;
using http::Responder;
using http::Response;
using machine::MachineKind;
using routes::Role;
using routes::Roles;
using routes::Scope;
using runtime::AsOf;

IntakeMachine& intake(machine::Machine& machine) {
  return static_cast<IntakeMachine&>(machine);
}

// The fields of `registered`, and behind them what `more(fields)` adds.
template <class T, class More>
std::string row(const T& registered, More more) {
  Sink out;
  out.push_back('{');
  codec::JsonFields fields{out};
  T::fields(registered, fields);
  more(fields);
  out.push_back('}');
  return std::string(out.view());
}

std::string organisation_row(const OrganisationRow& organisation) {
  return row(organisation.registered,
             [&](codec::JsonFields& fields) { fields.member("registered_at", organisation.registered_at); });
}

std::string application_row(const ApplicationRow& application) {
  return row(application.submitted, [&](codec::JsonFields& fields) {
    fields.member("submitted_at", application.submitted_at);
    if (application.screening) fields.member("screening", *application.screening);
    if (application.screened_at) fields.member("screened_at", *application.screened_at);
    if (application.decision) fields.member("decision", *application.decision);
  });
}

template <class T>
std::string publication_row(const T& published, const PublicationRow& publication) {
  return row(published, [&](codec::JsonFields& fields) { fields.member("published_at", publication.published_at); });
}

Response json_response(std::string body) {
  Response response;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

// Intake's place: what waits for it sees what intake has folded so far, and what it sent.
std::string place_of(runtime::LedgerMark ledger, const AsOf& as_of) {
  runtime::Token token{{}, ledger};
  if (as_of.position > 0) token.places.push_back({machine::Topic::applications, 0, as_of.position - 1});
  return token.text();
}

// `at`: whether to say too which of the policies that intake decides by are in force then.
Response policies(machine::Machine& machine, const AsOf& as_of, runtime::LedgerMark ledger,
                  std::optional<units::Instant> at) {
  std::vector<std::string> policies, price_books;
  ClassesAndWindows decided_by;
  intake(machine).publications([&](const PublicationRow& publication) {
    if (publication.policy) {
      policies.push_back(publication_row(*publication.policy, publication));
      decided_by.learn(*publication.policy);
    }
    if (publication.price_book) price_books.push_back(publication_row(*publication.price_book, publication));
    return true;
  });
  std::string body;
  json::Writer out(body);
  const auto add = [&out](std::string_view name, const std::vector<std::string>& rows) {
    out.name(name).begin_array();
    for (const std::string& one : rows) out.json(one);
    out.end_array();
  };
  out.begin_object();
  add("policies", policies);
  add("price_books", price_books);
  if (at) {
    std::vector<std::string> in_force;
    for (const auto kind : {events::PolicyKind::resource_classes, events::PolicyKind::acceptance_window})
      if (const events::PolicyPublished* policy = decided_by.in_force(kind, *at))
        in_force.push_back(row(*policy, [](codec::JsonFields&) {}));
    add("in_force", in_force);
  }
  out.member("after", place_of(ledger, as_of)).end_object();
  return json_response(std::move(body));
}

// The instant of `?at=`; nullopt: the request has none. Error: no time.
Result<std::optional<units::Instant>> at_of(const Request& request) {
  const auto text = http::query(request, "at");
  if (!text) return std::optional<units::Instant>();
  const units::ParsedTime time = units::parse_time(*text);
  if (time.trouble == units::TimeTrouble::none) return std::optional(time.at);
  return Error{
      ErrorCode::invalid_input,
      fmt::format("expected a time with its zone, got '{}'; hint: ?at=2026-10-31T23:30:00Z", text->substr(0, 40))};
}

Response project(machine::Machine& machine, const std::string& name) {
  IntakeMachine& rules = intake(machine);
  const ProjectRow* project = rules.project(name);
  if (project == nullptr) {
    http::Problem problem;
    problem.status = 404;
    problem.type = "unknown_project";
    problem.title = "No such project";
    problem.detail = "no project of this name is registered";
    problem.value = name;
    problem.hint = "register it, or ask with ?after=TOKEN if it was sent just now";
    return make_response(problem);
  }
  return json_response(row(project->registered, [&](codec::JsonFields& fields) {
    fields.member("organisation_kind", rules.organisation(project->registered.organisation)->registered.kind);
    fields.member("registered_at", project->registered_at);
    std::vector<std::string> applications;
    rules.applications_of(name, [&](BytesView application) { return applications.emplace_back(application), true; });
    fields.member("applications", applications);
  }));
}

// The one row of a list whose thing the ref names; none where it names nothing, or another kind of thing.
template <class Find, class Write>
std::optional<Bytes> row_named(machine::Machine& machine, const events::Ref& ref, std::initializer_list<RefKind> kinds,
                               std::vector<std::string>& rows, Find find, Write write) {
  const RefRow* named = intake(machine).named_by(ref);
  if (named != nullptr && std::find(kinds.begin(), kinds.end(), named->kind) != kinds.end())
    rows.push_back(write(*find(Bytes(named->name))));
  return std::nullopt;
}

// One page of a scan: `scan(from, visit)` over rows in the order of their names.
template <class Scan, class Write>
std::optional<Bytes> page_of(const Bytes& after, std::size_t limit, std::vector<std::string>& rows, Scan scan,
                             Write write) {
  // The first name behind `after`.
  const Bytes from = after.empty() ? after : after + '\0';
  std::optional<Bytes> last;
  bool more = false;
  scan(from, [&](BytesView name, const auto& found) {
    if (rows.size() == limit) return more = true, false;
    rows.push_back(write(found));
    last = Bytes(name);
    return true;
  });
  return more ? last : std::nullopt;
}

using Ref = std::optional<events::Ref>;

std::optional<Bytes> organisations(machine::Machine& machine, const Ref& ref, const Bytes& after, std::size_t limit,
                                   std::vector<std::string>& rows) {
  if (ref)
    return row_named(
        machine, *ref, {RefKind::organisation}, rows,
        [&](const Bytes& name) { return intake(machine).organisation(name); }, organisation_row);
  return page_of(
      after, limit, rows, [&](BytesView from, auto visit) { intake(machine).organisations(from, visit); },
      organisation_row);
}

// A grant's ref finds the application that it was awarded to.
std::optional<Bytes> applications(machine::Machine& machine, const Ref& ref, const Bytes& after, std::size_t limit,
                                  std::vector<std::string>& rows) {
  if (ref)
    return row_named(
        machine, *ref, {RefKind::application, RefKind::grant}, rows,
        [&](const Bytes& name) { return intake(machine).application(name); }, application_row);
  return page_of(
      after, limit, rows, [&](BytesView from, auto visit) { intake(machine).applications(from, visit); },
      application_row);
}

template <class Page>
void read_named(const ask::Reach& reach, Request request, Responder responder, const char* path, Page page) {
  auto ref = ask::ref_of(request);
  if (!ref.ok()) return responder(http::bad_parameter("ref", ref.error()));
  ask::read_list(
      reach, std::move(request), std::move(responder), MachineKind::intake, {path, {"ref"}},
      [ref = std::move(*ref), page](machine::Machine& machine, const AsOf&, const Bytes& after, std::size_t limit,
                                    std::vector<std::string>& rows) { return page(machine, ref, after, limit, rows); });
}

constexpr Roles kDecide{Role::portal, Role::allocation, Role::auditor, Role::operates};
constexpr Roles kProjects{Role::portal,  Role::scheduler, Role::project, Role::allocation,
                          Role::finance, Role::auditor,   Role::operates};

}  // namespace

routes::Table routes(const ask::Reach& reach) {
  routes::Table table;
  table.push_back(
      {"GET",
       "/v1/policies",
       MachineKind::intake,
       {Role::portal, Role::scheduler, Role::allocation, Role::finance, Role::auditor, Role::operates},
       Scope::ledger,
       [reach](Request request, const PathParameters&, Responder responder) {
         const auto at = at_of(request);
         if (!at.ok()) return responder(http::bad_parameter("at", at.error()));
         ask::read(reach, std::move(request), std::move(responder), MachineKind::intake, 0,
                   [at = *at, ledger = reach.runtime.ledger_mark()](machine::Machine& machine, const AsOf& as_of) {
                     return policies(machine, as_of, ledger, at);
                   });
       }});
  table.push_back({"GET", "/v1/organisations", MachineKind::intake, kDecide, Scope::organisation,
                   [reach](Request request, const PathParameters&, Responder responder) {
                     read_named(reach, std::move(request), std::move(responder), "/v1/organisations", organisations);
                   }});
  table.push_back({"GET", "/v1/applications", MachineKind::intake, kDecide, Scope::organisation,
                   [reach](Request request, const PathParameters&, Responder responder) {
                     read_named(reach, std::move(request), std::move(responder), "/v1/applications", applications);
                   }});
  table.push_back(
      {"GET", "/v1/projects/{project}", MachineKind::intake, kProjects, Scope::organisation,
       [reach](Request request, const PathParameters& path, Responder responder) {
         ask::read(reach, std::move(request), std::move(responder), MachineKind::intake, 0,
                   [name = path["project"]](machine::Machine& machine, const AsOf&) { return project(machine, name); });
       }});
  return table;
}

}  // namespace granary::intake
