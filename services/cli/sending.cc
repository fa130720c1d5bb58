#include "services/cli/sending.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "services/cli/event_file.h"
#include "services/cli/event_results.h"
#include "services/cli/question.h"
#include "services/cli/token_sum.h"
#include "shared/http/uri.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

// As many as the door takes at once, in events and nearly in bytes.
constexpr std::size_t kBatchEvents = 1000;
constexpr std::size_t kBatchBytes = 900U << 10;
constexpr int kWaitSeconds = 30;

// Posts events in batches, counts what became of each, and knows the token that covers all of them.
class Sending {
 public:
  Sending(Api& api, const ClientOptions& options) : api_(api), options_(options) {}

  // All of one batch are of one kind: the door promises no order between two.
  Result<void> send(const std::vector<FileEvent>& events) {
    for (std::size_t at = 0; at < events.size();) {
      const bool is_usage = events[at].is_usage;
      if (at > 0 && is_usage != events[at - 1].is_usage) after_ = appended_.text();
      std::string body = "[";
      std::size_t end = at;
      for (; end < events.size() && end - at < kBatchEvents && body.size() < kBatchBytes &&
             events[end].is_usage == is_usage;
           ++end)
        body += (end > at ? "," : "") + events[end].json;
      GRANARY_TRY(send_batch(body + ']', at, end - at));
      at = end;
    }
    return {};
  }
  [[nodiscard]] int report() const {
    if (!options_.json)
      std::puts(fmt::format("{} events: {} new, {} repeats, {} waiting, {} refused", sent_, outcomes_[0], outcomes_[1],
                            outcomes_[2], refused_)
                    .c_str());
    return refused_ > 0 ? kRefused : kDone;
  }

 private:
  Result<void> send_batch(const std::string& body, std::size_t first, std::size_t count) {
    const std::string target = after_.empty() ? "/v1/events" : "/v1/events?after=" + http::percent_encode(after_);
    const auto answer = api_.post(target, "application/cloudevents-batch+json", body, kWaitSeconds);
    if (!answer.ok()) return answer.error();
    if (answer->status != 202 && answer->status != 422)
      return Error{answer->status >= 400 && answer->status < 500 ? ErrorCode::invalid_input : ErrorCode::unavailable,
                   problem_text(*answer)};
    const auto results = results_of(answer->body, count);
    if (!results.ok()) return results.error();
    if (const auto added = appended_.add(results->after); !added.ok())
      return strange_answer("a token as `after`", "another text");
    if (options_.json) GRANARY_TRY(service::write_output(answer->body + '\n'));
    for (std::size_t i = 0; i < count; ++i) this->count(results->of_events[i], first + i + 1);
    return {};
  }

  void count(const EventResult& result, std::size_t number) {
    constexpr std::array<std::string_view, 4> kNames{"new", "repeat", "waiting", "unknown"};
    ++sent_;
    for (std::size_t i = 0; i < kNames.size(); ++i) outcomes_[i] += result.judgement == kNames[i] ? 1 : 0;
    if (result.judgement != "refused") return;
    ++refused_;
    service::complain(
        fmt::format("event {} is refused: {} {}; hint: {}", number, result.reason, result.field, result.hint));
  }

  Api& api_;
  const ClientOptions& options_;
  std::string after_;
  TokenSum appended_;
  std::size_t sent_ = 0, refused_ = 0;
  std::array<std::size_t, 4> outcomes_{};
};

}  // namespace

int send_text(const ClientOptions& options, const std::string& text, const std::string& name) {
  const auto events = events_of(text);
  if (!events.ok()) {
    service::complain(fmt::format("{}: {}", name, events.error().message));
    return service::kUsage;
  }
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  Sending sending(*api, options);
  if (const auto sent = sending.send(*events); !sent.ok()) return fail(sent.error());
  return sending.report();
}

}  // namespace granary::cli
