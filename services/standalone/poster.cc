#include "services/standalone/poster.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>

#include "shared/base/clock.h"
#include "shared/runtime/runtime.h"

namespace granary::standalone {
namespace {
constexpr std::size_t kBatchEvents = 500;
constexpr int kWaitSeconds = 30;
constexpr int kRetryPauseMs = 500;
}  // namespace

Result<void> Poster::add(std::uint64_t line, std::string event) {
  lines_.push_back(line);
  body_ += (body_.empty() ? "[" : ",") + std::move(event);
  return lines_.size() < kBatchEvents ? Result<void>() : flush();
}

Result<void> Poster::flush() {
  if (lines_.empty()) return {};
  const std::string target = after_.empty() ? "/v1/events" : "/v1/events?after=" + after_;
  const std::int64_t give_up = system_clock().monotonic_ms() + retry_for_ms_;
  body_ += ']';
  while (true) {
    const auto answer = api_.post(target, "application/cloudevents-batch+json", body_, kWaitSeconds);
    if (answer.ok() && (answer->status == 202 || answer->status == 422)) {
      GRANARY_TRY(count(answer->body));
      break;
    }
    const bool again = answer.ok() ? answer->status == 503 || answer->status == 507 : answer.error().can_retry();
    const std::string why = answer.ok() ? problem_text(*answer) : answer.error().message;
    if (!again || system_clock().monotonic_ms() >= give_up) return Error{ErrorCode::unavailable, why};
    if (!told_) std::fprintf(stderr, "granary: %s; trying again with the same ids\n", why.c_str());
    told_ = true;
    poll(nullptr, 0, kRetryPauseMs);
  }
  told_ = false;
  answered += lines_.size();
  lines_.clear();
  body_.clear();
  return {};
}

Result<void> Poster::count(const std::string& body) {
  const auto answer = json::parse(body, {64U << 20, 16});
  if (!answer.ok()) return answer.error();
  if (const std::string text = text_of(*answer, "after"); !text.empty()) {
    const auto token = runtime::Token::parse(text);
    if (!token.ok()) return token.error();
    ledger_ = token->ledger;
    for (const runtime::Place& place : token->places) {
      std::uint64_t& last = appended_[{place.topic, place.partition}];
      last = std::max(last, place.offset);
    }
  }
  const json::Value* results = answer->find("results");
  if (results == nullptr || results->items().size() != lines_.size())
    return Error{ErrorCode::io_error, "the server answered for another number of events than were sent"};
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const json::Value& result = results->items()[i];
    const json::Value* outcome = result.find("outcome");
    const json::Value* problem = result.find("problem");
    const std::string judgement = outcome != nullptr ? text_of(*outcome, "judgement") : "refused";
    if (judgement == "repeat")
      ++repeats;
    else if (judgement == "waiting")
      ++waiting;
    else if (judgement == "refused")
      refused.push_back({lines_[i],
                         problem != nullptr   ? problem_name(*problem)
                         : outcome != nullptr ? text_of(*outcome, "reason")
                                              : "",
                         text_of(problem != nullptr ? *problem : *outcome, "hint")});
    else
      ++accepted;
  }
  return {};
}

std::string Poster::token() const {
  runtime::Token token{{}, ledger_};
  for (const auto& [partition, offset] : appended_) token.places.push_back({partition.first, partition.second, offset});
  return token.text();
}

}  // namespace granary::standalone
