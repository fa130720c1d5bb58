// A route as its service declares it: what it answers, whose question it is, who is meant to ask it, and the handler.
// One table of a process's routes fills its router, answers GET /v1/routes, by which other processes learn what to pass
// on here, and is what the description of the API is held against. A service names its routes in its own folder alone.
//
// May touch: http's values and the machines' names. Threads: values, read-only once the listener runs.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/http/router.h"
#include "shared/machine/topology.h"

namespace granary::routes {

// Who is meant to ask. Nothing checks it yet: every caller is `open`, and may ask everything.
enum class Role : std::uint8_t {
  probe,       // whoever watches the process: liveness, readiness, metrics
  process,     // another process of this ledger
  portal,      // a front end that acts for applicants and projects
  scheduler,   // posts usage, asks what became of it
  project,     // a person of a project or of its organisation
  allocation,  // decides on applications and grants
  finance,
  auditor,
  operates,  // runs the processes
};
class Roles {
 public:
  constexpr Roles(std::initializer_list<Role> roles) {
    for (const Role role : roles) bits_ |= 1U << static_cast<unsigned>(role);
  }
  [[nodiscard]] constexpr bool has(Role role) const { return (bits_ & 1U << static_cast<unsigned>(role)) != 0; }

 private:
  std::uint32_t bits_ = 0;
};

// What an answer tells of: nothing of any organisation, rows that belong to one organisation each, or all of the
// ledger.
enum class Scope : std::uint8_t { process, organisation, ledger };

struct Route {
  std::string_view method;   // "GET"; static text, as all of the row
  std::string_view pattern;  // "/v1/projects/{project}/balance"
  // The machine whose question it is: a process that does not run it passes the request on. nullopt: each process
  // answers for itself.
  std::optional<machine::MachineKind> machine;
  Roles roles;
  Scope scope;
  http::Router::RouteHandler handler;
};
using Table = std::vector<Route>;

// Where the table is told, and learnt.
inline constexpr std::string_view kRoutesPath = "/v1/routes";

std::string_view role_name(Role role);     // "finance"
std::string_view scope_name(Scope scope);  // "organisation"

void add_to(http::Router& router, const Table& table);

// `{"routes":[{"method":"GET","path":"/v1/charges","machine":"billing","roles":[...],"scope":"organisation"}]}`.
std::string to_json(const Table& table);

// Of such a text: the paths that GET may ask of that machine. nullopt: it is not such a text. At most kPathsMax.
inline constexpr std::size_t kPathsMax = 256;
std::optional<std::vector<std::string>> paths_of(std::string_view text, machine::MachineKind machine);

}  // namespace granary::routes
