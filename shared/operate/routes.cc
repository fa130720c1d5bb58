#include "shared/operate/routes.h"

#include <set>

#include "shared/ask/follow.h"
#include "shared/ask/rejected.h"
#include "shared/ask/streams.h"
#include "shared/http/problem.h"
#include "shared/operate/clock_confirm.h"
#include "shared/operate/health.h"
#include "shared/operate/metrics.h"
#include "shared/peers/shard_questions.h"

namespace granary::operate {
namespace {

using http::PathParameters;
using http::Request;
using http::Responder;
using http::Response;

Response json_answer(std::string body) {
  return {.status = 200, .content_type = "application/json", .body = std::move(body)};
}

// The other processes of the list.
std::set<std::string> others(const Doors& doors) {
  std::set<std::string> urls;
  if (doors.peers == nullptr) return urls;
  for (const auto& [shard, url] : doors.peers->owners())
    if (doors.runtime.owner_of(shard)) urls.insert(url);
  return urls;
}

// Read on a thread that may wait for the log.
using LogAnswer = std::function<Response(const Request&)>;
void answer_from_log(http::WorkPool& readers, Request request, Responder responder, LogAnswer answer) {
  const auto held = std::make_shared<Responder>(std::move(responder));
  const bool taken =
      readers.run([request = std::move(request), answer = std::move(answer), held] { (*held)(answer(request)); });
  if (!taken) (*held)(http::unavailable("too_many_reads", "Too many reads of the log wait already", "", "try again"));
}

Response no_such_stream() {
  return make_response(http::Problem{.status = 404,
                                     .type = "unknown_stream",
                                     .title = "There is no such stream",
                                     .hint = "billing, notices or rejected"});
}

}  // namespace

routes::Table routes(const Doors& doors, const routes::Table& services) {
  using routes::Role;
  using routes::Roles;
  using routes::Scope;
  constexpr Roles kWatch{Role::probe, Role::operates};
  constexpr Roles kStreams{Role::portal, Role::finance, Role::auditor, Role::operates};
  routes::Table table = peers::shard_routes(doors.runtime, doors.forwarder.loop());
  using Answer = std::function<Response(const Request&)>;
  const auto get = [&table](std::string_view path, Roles roles, Answer answer) {
    table.push_back({"GET", path, std::nullopt, roles, Scope::process,
                     [answer = std::move(answer)](const Request& request, const PathParameters&, Responder responder) {
                       responder(answer(request));
                     }});
  };
  table.push_back({"POST",
                   "/v1/events",
                   std::nullopt,
                   {Role::portal, Role::scheduler, Role::allocation, Role::finance, Role::operates},
                   Scope::organisation,
                   [doors](Request request, const PathParameters&, Responder responder) {
                     doors.events.post(std::move(request), std::move(responder));
                   }});
  table.push_back({"GET",
                   "/v1/rejected",
                   std::nullopt,
                   {Role::portal, Role::scheduler, Role::finance, Role::auditor, Role::operates},
                   Scope::organisation,
                   [doors](Request request, const PathParameters&, Responder responder) {
                     ask::get_rejected(doors.runtime, doors.forwarder.loop(), std::move(request), std::move(responder),
                                       [doors](Request asked, Responder answer) {
                                         answer_from_log(doors.log_readers, std::move(asked), std::move(answer),
                                                         [doors](const Request& one) {
                                                           return ask::rejected_page(doors.journal, doors.runtime, one);
                                                         });
                                       });
                   }});
  table.push_back({"GET", "/v1/streams/{stream}", std::nullopt, kStreams, Scope::organisation,
                   [doors](Request request, const PathParameters& path, Responder responder) {
                     const auto stream = ask::stream_called(path["stream"]);
                     if (!stream) return responder(no_such_stream());
                     answer_from_log(doors.log_readers, std::move(request), std::move(responder),
                                     [doors, stream = *stream](const Request& one) {
                                       if (ask::wants_event_stream(one))
                                         return ask::follow_stream(
                                             {doors.journal, doors.runtime, doors.followers, doors.forwarder.loop()},
                                             stream, one);
                                       return ask::stream_page(doors.journal, doors.runtime, stream, one);
                                     });
                   }});
  table.push_back({"POST",
                   "/v1/clock/confirm",
                   std::nullopt,
                   {Role::operates},
                   Scope::ledger,
                   [doors](const Request& request, const PathParameters&, Responder responder) {
                     confirm_clock(doors.clock, others(doors), doors.forwarder, request, std::move(responder));
                   }});
  get("/v1/clock", kWatch, [doors](const Request&) { return json_answer(clock_json(doors.clock)); });
  get("/v1/status", kWatch, [doors](const Request&) {
    return status_page(doors.runtime, doors.clock, doors.owner ? doors.owner() : "", doors.peers);
  });
  get("/livez", kWatch, [](const Request&) { return json_answer(R"({"live":true})"); });
  get("/readyz", kWatch, [doors](const Request&) { return readiness(doors.runtime, doors.clock); });
  get("/metrics", kWatch, [doors](const Request&) {
    const http::ListenerMetrics* listener = doors.listener ? doors.listener() : nullptr;
    return metrics_page(doors.runtime, doors.clock, doors.events, listener);
  });
  // The last row tells of all, itself included.
  const auto text = std::make_shared<std::string>();
  get(routes::kRoutesPath, {Role::process, Role::operates, Role::auditor},
      [text](const Request&) { return json_answer(*text); });
  routes::Table all = services;
  all.insert(all.end(), table.begin(), table.end());
  *text = routes::to_json(all);
  return table;
}

}  // namespace granary::operate
