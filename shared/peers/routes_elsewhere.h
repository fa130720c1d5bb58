// The questions that a process cannot answer since it does not run their machine: they go on to one that does. Filled
// before the listener starts; any thread after that.
#pragma once

#include <set>

#include "shared/http/router.h"
#include "shared/peers/peers.h"

namespace granary::peers {

// A question of each machine, by the pattern of its route (services/*/http/routes.cc).
struct MachineRoute {
  std::string_view pattern;
  machine::MachineKind machine{};
};
const std::vector<MachineRoute>& machine_routes();

// For each machine that is not `here`. `peers` outlives the router.
void add_routes_elsewhere(http::Router& router, const Peers& peers, const std::set<machine::MachineKind>& here);

}  // namespace granary::peers
