#include "services/cli/event_results.h"

#include <fmt/format.h>

#include "services/cli/api.h"

namespace granary::cli {
namespace {

Result<EventResult> result_of(const json::Value& result) {
  EventResult told;
  const bool is_judged = result.find("outcome") != nullptr;  // else the door took none of it
  const auto what = member_of(result, is_judged ? "outcome" : "problem", json::Kind::object);
  if (!what.ok()) return what.error();
  if (is_judged) {
    const auto judgement = member_of(**what, "judgement", json::Kind::string);
    if (!judgement.ok()) return judgement.error();
    told.judgement = (*judgement)->string();
    told.reason = text_of(**what, "reason");
  } else {
    told.judgement = "refused";
    told.reason = problem_name(**what);
  }
  if (told.judgement == "refused" && told.reason.empty()) return strange_answer("why an event is refused", "no reason");
  told.field = text_of(**what, "field");
  told.hint = text_of(**what, "hint");
  return told;
}

}  // namespace

Result<EventResults> results_of(const std::string& body, std::size_t count) {
  const auto answer = parse_answer(body);
  if (!answer.ok()) return answer.error();
  const auto list = objects_of(*answer, "results");
  if (!list.ok()) return list.error();
  if ((*list)->size() != count)
    return strange_answer(fmt::format("a result for each of {} events", count), std::to_string((*list)->size()));
  EventResults results;
  results.after = text_of(*answer, "after");
  results.of_events.reserve(count);
  for (const json::Value& one : **list) {
    auto result = result_of(one);
    if (!result.ok()) return result.error();
    results.of_events.push_back(std::move(*result));
  }
  return results;
}

}  // namespace granary::cli
