// The paths that this process has no route for: they may be another machine's. It asks a process of each machine that
// does not run here for its routes (GET /v1/routes) when the first such request comes, remembers them, and passes the
// request on. So a service's routes are declared in its folder alone, and an older process passes on what a newer one
// has learnt to answer.
//
// Threads: any. Refers to the forwarder, which outlives it; outlives the listener.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "shared/http/router.h"
#include "shared/peers/forward.h"
#include "shared/peers/peers.h"

namespace granary::peers {

class RoutesElsewhere {
 public:
  using Now = std::function<std::chrono::steady_clock::time_point()>;

  // `here`: the machines of this process.
  RoutesElsewhere(const Peers& peers, const std::set<machine::MachineKind>& here, Forwarder& forwarder,
                  Now now = std::chrono::steady_clock::now);

  // Passes a request on to a process of the machine whose path it is. 404 if no machine has such a path, 503
  // (`no_owner`, `owner_unavailable`) if that cannot be told because a machine's process is not known or silent.
  // Serves as Router::set_fallback(); `this` is shared with the questions under way.
  static http::Handler handler(std::shared_ptr<RoutesElsewhere> routes);

 private:
  struct Machine {
    std::string owner;  // its URL; empty: nobody is listed
    std::shared_ptr<const http::Router> router;
    std::optional<std::chrono::steady_clock::time_point> learnt;
  };
  struct Asking;

  void serve(std::shared_ptr<RoutesElsewhere> self, http::Request request, http::Responder responder);
  // The router of a machine that has the path; nullptr: none that is known.
  [[nodiscard]] std::shared_ptr<const http::Router> router_for(const http::Request& request) const;
  // Machines whose routes are not known or were learnt long ago, with their URLs.
  [[nodiscard]] std::map<machine::MachineKind, std::string> to_ask() const;
  // True: `text` was a table of routes.
  bool learn(machine::MachineKind machine, std::string_view text);

  Forwarder& forwarder_;
  const Now now_;
  mutable std::mutex mutex_;
  std::map<machine::MachineKind, Machine> machines_;
};

}  // namespace granary::peers
