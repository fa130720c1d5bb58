#include "shared/peers/routes_elsewhere.h"

#include "shared/peers/forward.h"

namespace granary::peers {

using machine::MachineKind;

const std::vector<MachineRoute>& machine_routes() {
  static const std::vector<MachineRoute> routes{
      {"/v1/policies", MachineKind::intake},     {"/v1/organisations", MachineKind::intake},
      {"/v1/applications", MachineKind::intake}, {"/v1/projects/{project}", MachineKind::intake},
      {"/v1/sources", MachineKind::metering},    {"/v1/unbound", MachineKind::metering},
      {"/v1/projects", MachineKind::allocation}, {"/v1/projects/{project}/balance", MachineKind::allocation},
      {"/v1/usage", MachineKind::allocation},    {"/v1/unassigned", MachineKind::allocation},
      {"/v1/charges", MachineKind::billing},     {"/v1/accounts", MachineKind::billing}};
  return routes;
}

void add_routes_elsewhere(http::Router& router, const Peers& peers, const std::set<MachineKind>& here) {
  for (const MachineRoute& route : machine_routes()) {
    if (here.contains(route.machine)) continue;
    router.add("GET", route.pattern,
               [owner = peers.any_of(route.machine)](const http::Request& request, const http::PathParameters&,
                                                     http::Responder responder) {
                 forward(owner, request, std::move(responder));
               });
  }
}

}  // namespace granary::peers
