#include "shared/peers/routes_elsewhere.h"

#include <fmt/format.h>

#include <atomic>

#include "shared/base/probe.h"
#include "shared/http/problem.h"
#include "shared/routes/route.h"

namespace granary::peers {
namespace {

using machine::MachineKind;

// A path that nobody has is asked for again no sooner than this: a new route of a newer build is found, and wrong paths
// cost the other processes little.
constexpr auto kFreshFor = std::chrono::seconds(10);

}  // namespace

// What the machines' processes answer to one request.
struct RoutesElsewhere::Asking {
  Asking(std::shared_ptr<RoutesElsewhere> the_routes, http::Request the_request, http::Responder the_answer)
      : routes(std::move(the_routes)), request(std::move(the_request)), answer(std::move(the_answer)) {}
  std::shared_ptr<RoutesElsewhere> routes;
  http::Request request;
  http::Responder answer;
  std::atomic<std::size_t> left = 0;
  std::mutex mutex;
  std::string silent;   // the URL of one that did not tell
  std::string because;  // and why

  void told(MachineKind machine, const std::string& owner, const Result<http::Response>& response) {
    const bool is_told = response.ok() && response->status == 200 && routes->learn(machine, response->body);
    if (!is_told) {
      const std::lock_guard lock(mutex);
      silent = owner;
      because = response.ok() ? "answered with status " + std::to_string(response->status) : response.error().message;
    }
    if (--left == 0) end();
  }

  void end() {
    if (const auto router = routes->router_for(request)) return router->serve(std::move(request), std::move(answer));
    if (silent.empty()) return answer(http::path_not_found(request.path));
    GRANARY_PROBE("a process does not tell which paths it has");
    answer(http::unavailable("owner_unavailable", "The process that may own this does not answer",
                             fmt::format("{}: {}", silent, because), "try again; `granary status` shows who is there"));
  }
};

RoutesElsewhere::RoutesElsewhere(const Peers& peers, const std::set<MachineKind>& here, Forwarder& forwarder, Now now)
    : forwarder_(forwarder), now_(std::move(now)) {
  for (const MachineKind machine : machine::kMachines)
    if (!here.contains(machine)) machines_[machine].owner = peers.any_of(machine);
}

http::Handler RoutesElsewhere::handler(std::shared_ptr<RoutesElsewhere> routes) {
  return [routes = std::move(routes)](http::Request request, http::Responder responder) {
    routes->serve(routes, std::move(request), std::move(responder));
  };
}

void RoutesElsewhere::serve(std::shared_ptr<RoutesElsewhere> self, http::Request request, http::Responder responder) {
  if (was_passed_on(request))
    return responder(http::path_not_found(request.path));  // the process that passed it on knew
  if (const auto router = router_for(request)) return router->serve(std::move(request), std::move(responder));
  const auto asked = to_ask();
  const auto asking = std::make_shared<Asking>(std::move(self), std::move(request), std::move(responder));
  for (const auto& [machine, owner] : asked) {
    if (!owner.empty()) continue;
    GRANARY_PROBE("a path may be of a machine that nobody is known to run");
    return asking->answer(http::unavailable("no_owner", "No process is known to own what this asks for", "",
                                            "start the process that owns it, or name it in the list of peers "
                                            "(--peers)"));
  }
  asking->left = asked.size();
  if (asked.empty()) return asking->end();
  for (const auto& [machine, owner] : asked)
    forwarder_.ask(owner, http::ClientRequest{.method = "GET", .target = std::string(routes::kRoutesPath)},
                   [asking, machine = machine, owner = owner](const Result<http::Response>& response) {
                     asking->told(machine, owner, response);
                   });
}

std::shared_ptr<const http::Router> RoutesElsewhere::router_for(const http::Request& request) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [kind, machine] : machines_)
    if (machine.router != nullptr && machine.router->has_path(request.path)) return machine.router;
  return nullptr;
}

std::map<MachineKind, std::string> RoutesElsewhere::to_ask() const {
  const auto now = now_();
  std::map<MachineKind, std::string> owners;
  const std::lock_guard lock(mutex_);
  for (const auto& [kind, machine] : machines_)
    if (!machine.learnt || now - *machine.learnt >= kFreshFor) owners[kind] = machine.owner;
  return owners;
}

bool RoutesElsewhere::learn(MachineKind machine, std::string_view text) {
  const auto paths = routes::paths_of(text, machine);
  if (!paths) return false;
  const std::lock_guard lock(mutex_);
  Machine& one = machines_[machine];
  const auto router = std::make_shared<http::Router>();
  for (const std::string& path : *paths)
    router->add("GET", path,
                [&forwarder = forwarder_, owner = one.owner](const http::Request& request, const http::PathParameters&,
                                                             http::Responder responder) {
                  forwarder.forward(owner, request, std::move(responder));
                });
  one.router = router;
  one.learnt = now_();
  return true;
}

}  // namespace granary::peers
