#include "services/cli/poster.h"

#include <poll.h>

#include "services/cli/event_results.h"
#include "shared/base/clock.h"
#include "shared/http/uri.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {
constexpr std::size_t kBatchEvents = 500;  // few enough that a batch of long usages stays below the door's bytes
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
  const std::string target = after_.empty() ? "/v1/events" : "/v1/events?after=" + http::percent_encode(after_);
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
  const auto results = results_of(body, origins_.size());
  if (!results.ok()) return results.error();
  if (const auto added = appended_.add(results->after); !added.ok())
    return strange_answer("a token as `after`", "another text");
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    const EventResult& result = results->of_events[i];
    if (result.judgement == "repeat")
      ++repeats;
    else if (result.judgement == "waiting")
      ++waiting;
    else if (result.judgement != "refused")
      ++accepted;
    else
      refused.push_back({origins_[i], result.reason, result.field, result.hint});
  }
  return {};
}

}  // namespace granary::cli
