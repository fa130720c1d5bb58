#include "services/cli/poster.h"

#include <poll.h>

#include "shared/base/clock.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {
constexpr std::size_t kBatchEvents = 500;
constexpr int kWaitSeconds = 30;
constexpr int kRetryPauseMs = 500;
}  // namespace

Result<void> Poster::add(Origin origin, std::string event) {
  origins_.push_back(std::move(origin));
  body_ += (body_.empty() ? "[" : ",") + std::move(event);
  return origins_.size() < kBatchEvents ? Result<void>() : flush();
}

Result<void> Poster::flush() {
  if (origins_.empty()) return {};
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
    if (!told_) service::complain(why + "; trying again with the same ids");
    told_ = true;
    poll(nullptr, 0, kRetryPauseMs);
  }
  told_ = false;
  answered += origins_.size();
  origins_.clear();
  body_.clear();
  return {};
}

Result<void> Poster::count(const std::string& body) {
  const auto answer = json::parse(body, {64U << 20, 16});
  if (!answer.ok()) return answer.error();
  GRANARY_TRY(appended_.add(text_of(*answer, "after")));
  const json::Value* results = answer->find("results");
  if (results == nullptr || !results->is(json::Kind::array) || results->items().size() != origins_.size())
    return Error{ErrorCode::io_error, "the server answered for another number of events than were sent"};
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    const json::Value& result = results->items()[i];
    const json::Value* outcome = result.find("outcome");
    const json::Value* problem = result.find("problem");
    const std::string judgement = outcome != nullptr ? text_of(*outcome, "judgement") : "refused";
    if (judgement == "repeat") {
      ++repeats;
    } else if (judgement == "waiting") {
      ++waiting;
    } else if (judgement != "refused") {
      ++accepted;
    } else if (problem != nullptr) {
      refused.push_back({origins_[i], problem_name(*problem), text_of(*problem, "field"), text_of(*problem, "hint")});
    } else if (outcome != nullptr) {
      refused.push_back(
          {origins_[i], text_of(*outcome, "reason"), text_of(*outcome, "field"), text_of(*outcome, "hint")});
    } else {
      return Error{ErrorCode::io_error, "the server did not say what became of an event"};
    }
  }
  return {};
}

}  // namespace granary::cli
