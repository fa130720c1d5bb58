#include "services/cli/post_command.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "services/cli/api.h"
#include "services/cli/event_file.h"
#include "services/cli/token_sum.h"
#include "shared/base/text_file.h"
#include "shared/http/uri.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

constexpr int kDone = 0, kRefused = 1;
constexpr std::size_t kBatchEvents = 1000;
constexpr std::size_t kBatchBytes = 900U << 10;
constexpr std::size_t kAnswerBytesMax = 64U << 20;
constexpr int kWaitSeconds = 30;

Result<std::string> text_of_file(const std::string& file) {
  constexpr const char* kWhat = "CloudEvents in JSON";
  if (file == "-") return read_text(STDIN_FILENO, "standard input", kWhat, kEventFileBytesMax);
  return read_text_file(file, kWhat, kEventFileBytesMax);
}

// Posts events in batches, counts what became of each, and knows the token that stands for all of them.
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
      std::printf("%zu events: %zu new, %zu repeats, %zu waiting, %zu refused\n", sent_, outcomes_[0], outcomes_[1],
                  outcomes_[2], refused_);
    return refused_ > 0 ? kRefused : kDone;
  }

 private:
  Result<void> send_batch(const std::string& body, std::size_t first, std::size_t count) {
    const std::string target = after_.empty() ? "/v1/events" : "/v1/events?after=" + http::percent_encode(after_);
    const auto answer = api_.post(target, "application/cloudevents-batch+json", body, kWaitSeconds);
    if (!answer.ok()) return answer.error();
    if (answer->status != 202 && answer->status != 422)
      return Error{answer->status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid_input, problem_text(*answer)};
    if (options_.json) GRANARY_TRY(service::write_output(answer->body + '\n'));
    const auto parsed = json::parse(answer->body, {kAnswerBytesMax, 16});
    if (!parsed.ok()) return parsed.error();
    GRANARY_TRY(appended_.add(text_of(*parsed, "after")));
    const auto results = member_of(*parsed, "results", json::Kind::array);
    if (!results.ok()) return results.error();
    if ((*results)->items().size() != count)
      return Error{ErrorCode::io_error, "expected an answer for each of " + std::to_string(count) + " events, got " +
                                            std::to_string((*results)->items().size()) +
                                            "; hint: see that --url names a Granary server of this version"};
    for (std::size_t i = 0; i < count; ++i) this->count((*results)->items()[i], first + i + 1);
    return {};
  }

  void count(const json::Value& result, std::size_t number) {
    constexpr std::array<std::string_view, 4> kNames{"new", "repeat", "waiting", "unknown"};
    ++sent_;
    const json::Value* outcome = result.find("outcome");
    const json::Value* problem = result.find("problem");
    const json::Value& why = outcome != nullptr ? *outcome : problem != nullptr ? *problem : result;
    const std::string judgement = outcome == nullptr ? "refused" : text_of(*outcome, "judgement");
    for (std::size_t i = 0; i < kNames.size(); ++i) outcomes_[i] += judgement == kNames[i] ? 1 : 0;
    if (judgement != "refused") return;
    ++refused_;
    service::complain("event " + std::to_string(number) + " is refused: " + text_of(why, "reason") +
                      (outcome == nullptr ? problem_name(why) : "") + " " + text_of(why, "field") +
                      "; hint: " + text_of(why, "hint"));
  }

  Api& api_;
  const ClientOptions& options_;
  std::string after_;
  TokenSum appended_;
  std::size_t sent_ = 0, refused_ = 0;
  std::array<std::size_t, 4> outcomes_{};
};

}  // namespace

int post(const ClientOptions& options, const std::string& file) {
  const auto text = text_of_file(file);
  if (!text.ok()) {
    service::complain(text.error().message);
    return text.error().code == ErrorCode::invalid_input ? service::kUsage : service::kCannotRun;
  }
  return post_text(options, *text, file);
}

int post_text(const ClientOptions& options, const std::string& text, const std::string& name) {
  const auto events = events_of(text);
  if (!events.ok()) {
    service::complain(name + ": " + events.error().message);
    return service::kUsage;
  }
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  Sending sending(*api, options);
  if (const auto sent = sending.send(*events); !sent.ok()) return fail(sent.error());
  return sending.report();
}

}  // namespace granary::cli
