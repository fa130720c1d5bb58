#include "services/cli/event_results.h"

#include <fmt/format.h>

#include "services/cli/api.h"

namespace granary::cli {
namespace {

Result<EventResult> result_of(const json::Value& result) {
  if (result.find("outcome") != nullptr) {
    const auto outcome = member_of(result, "outcome", json::Kind::object);
    if (!outcome.ok()) return outcome.error();
    const auto judgement = member_of(**outcome, "judgement", json::Kind::string);
    if (!judgement.ok()) return judgement.error();
    return EventResult{(*judgement)->string(), text_of(**outcome, "reason"), text_of(**outcome, "field"),
                       text_of(**outcome, "hint")};
  }
  // The door took none of it.
  const auto problem = member_of(result, "problem", json::Kind::object);
  if (!problem.ok()) return problem.error();
  return EventResult{"refused", problem_name(**problem), text_of(**problem, "field"), text_of(**problem, "hint")};
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
