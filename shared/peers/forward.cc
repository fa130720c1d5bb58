#include "shared/peers/forward.h"

#include <memory>
#include <utility>

#include "shared/base/probe.h"
#include "shared/http/problem.h"
#include "shared/http/uri.h"

namespace granary::peers {
namespace {

constexpr std::size_t kThreadsMax = 32;    // requests under way to other processes; more wait
constexpr std::size_t kWaitingMax = 4096;  // of them; more are refused
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

}  // namespace

Forwarder& forwarder() {
  static Forwarder shared;
  return shared;
}

Forwarder::~Forwarder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  filled_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Forwarder::send(std::string url, http::ClientRequest request, std::function<void(Result<http::Response>)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() < kWaitingMax && !stopping_) {
      jobs_.push_back({std::move(url), std::move(request), std::move(done)});
      if (idle_ < jobs_.size() && threads_.size() < kThreadsMax) threads_.emplace_back([this] { run(); });
      filled_.notify_one();
      return;
    }
  }
  done(Error{ErrorCode::unavailable, "expected room for one more request to another process, but " +
                                         std::to_string(kWaitingMax) + " wait already; hint: try again"});
}

void Forwarder::run() {
  std::map<std::string, http::Client> clients;  // of this thread: each keeps its connection
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      ++idle_;
      filled_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      --idle_;
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    auto client = clients.find(job.url);
    if (client == clients.end()) {
      auto made = http::Client::create(job.url);
      if (!made.ok()) {
        job.done(made.error());
        continue;
      }
      client = clients.emplace(job.url, std::move(*made)).first;
    }
    auto answer = client->second.send(job.request);
    if (!answer.ok()) {
      GRANARY_PROBE("another process does not answer");
      clients.erase(client);
    }
    job.done(std::move(answer));
  }
}

bool was_passed_on(const http::Request& request) {
  return http::header(request, kHops).has_value();
}

bool may_pass_on(const http::Request& request) {
  const auto hops = http::header(request, kHops);
  return !hops || *hops < kHopsMax;
}

void pass_on(const std::string& url, const http::Request& request, std::function<void(Result<http::Response>)> done) {
  http::ClientRequest passed{.method = request.method, .target = target_of(request), .body = request.body};
  for (const http::Field& field : request.headers) {
    if (field.name == "content-type")
      passed.content_type = field.value;
    else if (field.name == "prefer" || field.name == "accept" || field.name == "authorization" ||
             field.name == "traceparent")
      passed.headers.push_back(field);
  }
  passed.headers.push_back({std::string(kHops), was_passed_on(request) ? std::string(kHopsMax) : "1"});
  forwarder().send(url, std::move(passed), std::move(done));
}

void forward(const std::string& owner, const http::Request& request, http::Responder responder) {
  if (owner.empty() || !may_pass_on(request)) {
    return responder(http::unavailable("no_owner", "No process is known to own what this asks for", "",
                                       "start the process that owns it, or name it in the list of peers (--peers)"));
  }
  auto answer = std::make_shared<http::Responder>(std::move(responder));
  pass_on(owner, request, [answer, owner](Result<http::Response> response) {
    if (response.ok()) return (*answer)(std::move(*response));
    (*answer)(http::unavailable("owner_unavailable", "The process that owns this does not answer",
                                owner + ": " + response.error().message,
                                "try again; `granary status` shows who is there"));
  });
}

}  // namespace granary::peers
