#include "shared/peers/shard_questions.h"

#include <atomic>
#include <charconv>

#include "shared/base/probe.h"
#include "shared/http/problem.h"

namespace granary::peers {
namespace {

using http::Request;
using http::Responder;
using http::Response;
using runtime::ShardName;

Response malformed() {
  http::Problem problem;
  problem.status = 400;
  problem.type = "malformed";
  problem.title = "Not a question about a shard";
  problem.hint = "this is spoken between Granary's own processes";
  return make_response(problem);
}

Response beyond_the_log() {
  return make_response(http::Problem{.status = kBeyondTheLogStatus,
                                     .type = "beyond_the_log",
                                     .title = "The inbox ends before the position that is asked for"});
}

std::optional<ShardName> shard_in(const http::PathParameters& path, std::uint16_t partitions) {
  for (const machine::MachineKind kind : machine::kMachines) {
    if (machine::machine_name(kind) != path["machine"]) continue;
    std::uint16_t number = 0;
    const std::string& text = path["shard"];
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || at != text.data() + text.size() || number >= machine::shards_of(kind, partitions))
      return std::nullopt;
    return ShardName{kind, number};
  }
  return std::nullopt;
}

template <class Message>
Response message_response(const Message& message) {
  Response response;
  response.content_type = kShardMessageType;
  codec::encode(message, response.body);
  return response;
}

// An answer that comes once: in time, or as 503.
struct Waiting {
  explicit Waiting(Responder responder) : answer(std::move(responder)) {}
  std::atomic<bool> over = false;
  Responder answer;
  http::Loop::Timer timer;
  void end(Response response) {
    if (!over.exchange(true)) answer(std::move(response));
  }
  void end_in_time(Response response) {
    timer.cancel();
    end(std::move(response));
  }
};

// The timer holds the answer; when it has rung or was cancelled, the runtime forgets it.
std::shared_ptr<Waiting> wait_at_most(http::Loop& loop, std::int64_t wait_ms, Responder responder) {
  auto waiting = std::make_shared<Waiting>(std::move(responder));
  waiting->timer = loop.set_timer(std::clamp<std::int64_t>(wait_ms, 1, kWaitMsMax), [waiting] {
    waiting->end(http::unavailable("not_folded_yet", "What was asked for is not folded yet", "", "ask again"));
  });
  return waiting;
}

}  // namespace

routes::Table shard_routes(runtime::Runtime& runtime, http::Loop& loop) {
  routes::Table table;
  const auto add = [&](std::string_view pattern, auto handler) {
    const auto of_own_shard = [&runtime, handler](const Request& request, const http::PathParameters& path,
                                                  Responder responder) {
      const auto shard = shard_in(path, runtime.partitions());
      if (!shard) return responder(malformed());
      if (!runtime.owner_of(*shard)) return handler(*shard, request, std::move(responder));
      GRANARY_PROBE("another process asks for a shard that is not here");
      responder(http::unavailable("no_owner", "This process does not own the shard", "",
                                  "the lists of peers of two processes differ: let them agree"));
    };
    table.push_back({"POST", pattern, std::nullopt, {routes::Role::process}, routes::Scope::ledger, of_own_shard});
  };
  add("/v1/shards/{machine}/{shard}/wait",
      [&runtime, &loop](const ShardName& shard, const Request& request, Responder responder) {
        WaitQuestion question;
        if (!read_shard_message(request.body, question)) return responder(malformed());
        runtime::Needs needs;
        needs.position = question.position;
        needs.committed = question.committed != 0;
        needs.published = question.published != 0;
        needs.rules = question.rules;
        for (const LaneMessage& lane : question.lanes)
          needs.lanes[{lane.machine, static_cast<std::uint16_t>(lane.shard)}] = lane.number;
        const auto waiting = wait_at_most(loop, question.wait_ms, std::move(responder));
        runtime.when_met(
            shard, needs, waiting,
            [weak = std::weak_ptr(waiting)](const std::optional<std::vector<runtime::LaneNumber>>& lanes) {
              const auto wait = weak.lock();
              if (!wait) return;
              if (!lanes) {
                GRANARY_PROBE("another process waits for a place behind the end of the log");
                return wait->end_in_time(beyond_the_log());
              }
              LanesAnswer answer;
              for (const runtime::LaneNumber& lane : *lanes)
                answer.lanes.push_back({{}, static_cast<std::uint64_t>(lane.topic), lane.partition, lane.number});
              wait->end_in_time(message_response(answer));
            });
      });
  add("/v1/shards/{machine}/{shard}/outcomes",
      [&runtime, &loop](const ShardName& shard, const Request& request, Responder responder) {
        OutcomesQuestion question;
        if (!read_shard_message(request.body, question) || question.offsets_behind.empty())
          return responder(malformed());
        std::vector<std::uint64_t> offsets;
        for (const std::uint64_t behind : question.offsets_behind) offsets.push_back(question.first + behind);
        const auto waiting = wait_at_most(loop, question.wait_ms, std::move(responder));
        runtime.when_judged(machine::inbox_of(shard.first), shard.second, offsets, waiting,
                            [weak = std::weak_ptr(waiting)](std::vector<std::optional<machine::Outcome>> outcomes) {
                              const auto wait = weak.lock();
                              if (!wait) return;
                              OutcomesAnswer answer;
                              for (auto& outcome : outcomes) {
                                OutcomeMessage& one = answer.outcomes.emplace_back();
                                if (!outcome) continue;
                                one.judgement = static_cast<std::uint64_t>(outcome->judgement);
                                one.reason = outcome->reason;
                                one.field = std::move(outcome->field);
                                one.hint = std::move(outcome->hint);
                              }
                              wait->end_in_time(message_response(answer));
                            });
      });
  return table;
}

}  // namespace granary::peers
