#include "shared/operate/routes.h"

#include <set>

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

}  // namespace

void add_routes(http::Router& router, const Doors& doors) {
  using Answer = std::function<Response(const Request&)>;
  const auto get = [&router](std::string_view path, Answer answer) {
    router.add("GET", path,
               [answer = std::move(answer)](const Request& request, const PathParameters&, Responder responder) {
                 responder(answer(request));
               });
  };
  router.add("POST", "/v1/events", [doors](Request request, const PathParameters&, Responder responder) {
    doors.events.post(std::move(request), std::move(responder));
  });
  router.add("GET", "/v1/rejected", [doors](Request request, const PathParameters&, Responder responder) {
    ask::get_rejected(doors.journal, doors.runtime, std::move(request), std::move(responder));
  });
  router.add("GET", "/v1/streams/{stream}",
             [doors](const Request& request, const PathParameters& path, Responder responder) {
               const auto stream = ask::stream_called(path["stream"]);
               responder(stream ? ask::stream_page(doors.journal, doors.runtime, *stream, request)
                                : make_response(http::Problem{.status = 404,
                                                              .type = "unknown_stream",
                                                              .title = "There is no such stream",
                                                              .hint = "billing, notices or rejected"}));
             });
  router.add("POST", "/v1/clock/confirm", [doors](const Request& request, const PathParameters&, Responder responder) {
    confirm_clock(doors.clock, others(doors), request, std::move(responder));
  });
  peers::add_shard_routes(router, doors.runtime);
  get("/v1/clock", [doors](const Request&) { return json_answer(clock_json(doors.clock)); });
  get("/v1/status", [doors](const Request&) {
    return status_page(doors.runtime, doors.clock, doors.owner ? doors.owner() : "", doors.peers);
  });
  get("/livez", [](const Request&) { return json_answer("{\"live\":true}"); });
  get("/readyz", [doors](const Request&) { return readiness(doors.runtime, doors.clock); });
  get("/metrics", [doors](const Request&) {
    const http::ListenerMetrics* listener = doors.listener ? doors.listener() : nullptr;
    return metrics_page(doors.runtime, doors.clock, doors.events, listener);
  });
}

}  // namespace granary::operate
