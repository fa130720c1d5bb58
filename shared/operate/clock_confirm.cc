#include "shared/operate/clock_confirm.h"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "shared/ask/read.h"
#include "shared/http/problem.h"
#include "shared/json/strict_json.h"
#include "shared/json/writer.h"
#include "shared/operate/health.h"

namespace granary::operate {
namespace {

using http::Response;

constexpr std::int64_t kAnswerMs = 10'000;

std::string error_row(std::string_view why) {
  std::string row;
  json::Writer(row).begin_object().member("error", why).end_object();
  return row;
}

// What the peers said so far, by URL: an object whose members come behind its owner's; empty: nothing yet.
struct Asked {
  Asked(const std::set<std::string>& peers, std::string own_in, http::Responder responder)
      : silent(peers.size()), own(std::move(own_in)), answer(std::move(responder)) {
    for (const std::string& url : peers) rows[url];
  }
  std::mutex mutex;
  std::map<std::string, std::string> rows;
  std::size_t silent;
  std::string own;  // an object: what this process answers
  http::Responder answer;

  void say(const std::string& url, std::string row) {
    std::unique_lock lock(mutex);
    if (silent == 0) return;
    std::string& place = rows[url];
    place = std::move(row);
    if (--silent > 0) return;
    end(lock);
  }

  void time_is_up() {
    std::unique_lock lock(mutex);
    if (silent > 0) end(lock);
  }

 private:
  void end(std::unique_lock<std::mutex>& lock) {
    silent = 0;
    Response response{.status = 200, .content_type = "application/json"};
    json::Writer out(response.body);
    out.begin_object().members_of(own).name("peers").begin_array();
    for (const auto& [url, row] : rows)
      out.begin_object()
          .member("owner", url)
          .members_of(row.empty() ? error_row("no answer within 10 s") : row)
          .end_object();
    out.end_array().end_object();
    lock.unlock();
    answer(std::move(response));
  }
};

std::string row_of(const Result<Response>& response) {
  if (!response.ok()) return error_row(response.error().message);
  const auto body = json::parse(response->body);
  if (body.ok() && response->status == 200 && body->find("clock") != nullptr) return response->body;
  const json::Value* detail = body.ok() ? body->find("detail") : nullptr;
  return error_row(detail != nullptr && detail->is(json::Kind::string)
                       ? detail->string()
                       : "answered with status " + std::to_string(response->status));
}

}  // namespace

void confirm_clock(clock::ClockKeeper& clock, const std::set<std::string>& peers, peers::Forwarder& forwarder,
                   const http::Request& request, http::Responder responder) {
  const auto step = clock.confirm();
  if (!step.ok())
    return responder(make_response(http::Problem{.status = 409,
                                                 .type = "clock_is_behind",
                                                 .title = "The clock cannot be confirmed",
                                                 .detail = step.error().message}));
  std::string own;
  json::Writer out(own);
  out.begin_object().name("clock").json(clock_json(clock));
  if (*step)
    out.name("stepped")
        .begin_object()
        .member("from", units::format_time((*step)->from))
        .member("to", units::format_time((*step)->to))
        .end_object();
  out.end_object();
  if (peers.empty() || peers::was_passed_on(request))
    return responder(Response{.status = 200, .content_type = "application/json", .body = own});
  const auto asked = std::make_shared<Asked>(peers, std::move(own), std::move(responder));
  for (const std::string& url : peers)
    forwarder.pass_on(url, request,
                      [asked, url](const Result<Response>& response) { asked->say(url, row_of(response)); });
  forwarder.loop().call_after(kAnswerMs, [asked] { asked->time_is_up(); });
}

}  // namespace granary::operate
