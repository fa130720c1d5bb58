#include "shared/ask/token_wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "shared/http/problem.h"
#include "shared/peers/shard_questions.h"

namespace granary::ask {

using http::Request;
using http::Response;

void wait_folded(runtime::Runtime& runtime, http::Loop& loop, const runtime::Token& token, machine::MachineKind machine,
                 std::uint16_t shard, std::int64_t wait_ms, std::function<void(Folded)> go_on) {
  struct Waiting {
    std::atomic<bool> over = false;
    std::function<void(Folded)> go_on;
    http::Loop::Timer timer;
  };
  const auto waiting = std::make_shared<Waiting>();
  waiting->go_on = std::move(go_on);
  const auto end = [](Waiting& wait, Folded folded) {
    if (wait.over.exchange(true)) return;
    const auto then = std::exchange(wait.go_on, nullptr);
    then(folded);
  };
  // The timer holds the wait; when it has rung or was cancelled, the runtime forgets it.
  waiting->timer = loop.set_timer(wait_ms, [waiting, end] { end(*waiting, Folded::not_in_time); });
  runtime.when_folded(token, machine, shard, waiting,
                      [weak = std::weak_ptr(waiting), end](runtime::Runtime::Folded folded) {
                        const bool is_folded = folded == runtime::Runtime::Folded::yes;
                        const auto wait = weak.lock();
                        if (!wait) return;
                        wait->timer.cancel();
                        end(*wait, is_folded ? Folded::yes : Folded::beyond_the_log);
                      });
}

Response token_beyond_the_log() {
  return http::bad_parameter("after",
                             {ErrorCode::invalid_input,
                              "expected the place of a record, got one beyond the end of the log; hint: the log may "
                              "have been restored from an older backup: leave `after` out, and send again what was "
                              "appended since"});
}

Response not_folded(Folded folded) {
  if (folded == Folded::beyond_the_log) return token_beyond_the_log();
  http::Problem problem;
  problem.status = 503;
  problem.type = "not_folded_yet";
  problem.title = "What the token names is not folded yet";
  problem.detail = fmt::format("waited {} s", peers::kWaitMsMax / 1000);
  problem.hint = "ask again with the same token";
  Response response = make_response(problem);
  response.headers.push_back({"Retry-After", "5"});
  return response;
}

Result<std::optional<runtime::Token>> token_of(const Request& request, const runtime::Runtime& runtime) {
  const auto after = http::query(request, "after");
  if (!after) return std::optional<runtime::Token>();
  auto token = runtime::Token::parse(*after);
  if (!token.ok()) return token.error();
  const auto is_here = [&runtime](const runtime::Place& place) {
    return place.partition < machine::partitions_of(place.topic, runtime.partitions());
  };
  if (!token->places.empty() &&
      (token->ledger != runtime.ledger_mark() || !std::all_of(token->places.begin(), token->places.end(), is_here)))
    return Error{ErrorCode::invalid_input,
                 "expected a token of this ledger, got one of another; hint: ask the server that gave it, or leave "
                 "`after` out"};
  return std::optional(std::move(*token));
}

}  // namespace granary::ask
