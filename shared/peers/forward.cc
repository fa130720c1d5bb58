#include "shared/peers/forward.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "shared/base/probe.h"
#include "shared/http/problem.h"
#include "shared/http/uri.h"

namespace granary::peers {
namespace {

// Of one process to another, so that all processes of a ledger leave a listener (http::Limits::connections, 1024) room
// for its clients. A wait holds its connection for as long as the other shard lags.
constexpr std::size_t kConnectionsMax = 32;
constexpr std::size_t kWaitConnectionsMax = 128;
// To all processes, of each kind; more are refused. Each holds some kilobytes.
constexpr std::size_t kUnderWayMax = 4096;
constexpr std::string_view kHops = "granary-hops";
constexpr std::string_view kHopsMax = "2";  // to a process of the machine, from there to the shard's owner

std::string target_of(const http::Request& request) {
  std::string target = request.path;
  for (const http::Field& field : request.query) {
    target += target.size() == request.path.size() ? '?' : '&';
    target += http::percent_encode(field.name) + '=' + http::percent_encode(field.value);
  }
  return target;
}

Forwarder::Done probed(Forwarder::Done done) {
  return [done = std::move(done)](Result<http::Response> answer) {
    if (!answer.ok()) GRANARY_PROBE("another process does not answer");
    done(std::move(answer));
  };
}

}  // namespace

Forwarder::Forwarder(http::Loop& loop)
    : loop_(loop),
      soon_(loop, {.connections_per_url_max = kConnectionsMax, .requests_max = kUnderWayMax}),
      waiting_(loop, {.connections_per_url_max = kWaitConnectionsMax, .requests_max = kUnderWayMax}) {}

void Forwarder::ask(const std::string& url, http::ClientRequest request, Done done) {
  soon_.send(url, std::move(request), probed(std::move(done)));
}

void Forwarder::wait(const std::string& url, http::ClientRequest request, std::weak_ptr<void> wanted, Done done) {
  waiting_.send(url, std::move(request), std::move(wanted), probed(std::move(done)));
}

void Forwarder::stop() {
  soon_.stop();
  waiting_.stop();
}

bool was_passed_on(const http::Request& request) {
  return http::header(request, kHops).has_value();
}

bool may_pass_on(const http::Request& request) {
  const auto hops = http::header(request, kHops);
  return !hops || *hops < kHopsMax;
}

void Forwarder::pass_on(const std::string& url, const http::Request& request, Done done) {
  http::ClientRequest passed{.method = request.method, .target = target_of(request), .body = request.body};
  for (const http::Field& field : request.headers) {
    if (field.name == "content-type")
      passed.content_type = field.value;
    else if (field.name == "prefer" || field.name == "accept" || field.name == "authorization" ||
             field.name == "traceparent")
      passed.headers.push_back(field);
  }
  passed.headers.push_back({std::string(kHops), was_passed_on(request) ? std::string(kHopsMax) : "1"});
  // A read behind a token waits at the other process.
  const bool waits = http::query(request, "after").has_value();
  (waits ? waiting_ : soon_).send(url, std::move(passed), probed(std::move(done)));
}

void Forwarder::forward(const std::string& owner, const http::Request& request, http::Responder responder) {
  if (owner.empty() || !may_pass_on(request)) {
    return responder(http::unavailable("no_owner", "No process is known to own what this asks for", "",
                                       "start the process that owns it, or name it in the list of peers (--peers)"));
  }
  auto answer = std::make_shared<http::Responder>(std::move(responder));
  pass_on(owner, request, [answer, owner](Result<http::Response> response) {
    if (response.ok()) return (*answer)(std::move(*response));
    (*answer)(http::unavailable("owner_unavailable", "The process that owns this does not answer",
                                fmt::format("{}: {}", owner, response.error().message),
                                "try again; `granary status` shows who is there"));
  });
}

}  // namespace granary::peers
