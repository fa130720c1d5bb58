#include "shared/entry/event_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "shared/http/problem.h"
#include "shared/json/writer.h"

namespace granary::entry {
namespace {

using codec::FormError;
using http::Response;

constexpr std::string_view kProblemPrefix = "urn:granary:problem:";

using Json = json::Writer<std::string>;

void add_if(Json& out, std::string_view name, std::string_view value) {
  if (!value.empty()) out.member(name, value);
}

void append_problem(Json& out, const FormError& error) {
  out.begin_object().member("type", std::string(kProblemPrefix) + error.reason).member("field", error.field);
  add_if(out, "value", error.value);
  add_if(out, "hint", error.hint);
  out.end_object();
}

std::string_view judgement_name(machine::Judgement judgement) {
  switch (judgement) {
    case machine::Judgement::accepted:
      return "new";
    case machine::Judgement::repeat:
      return "repeat";
    case machine::Judgement::waiting:
      return "waiting";
    case machine::Judgement::refused:
      return "refused";
  }
  return "unknown";
}

void append_outcome(Json& out, const std::optional<machine::Outcome>& outcome) {
  out.begin_object().member("judgement", outcome ? judgement_name(outcome->judgement) : "unknown");
  if (outcome) {
    add_if(out, "reason", outcome->reason);
    // The fold points into the data, an answer into the event.
    if (!outcome->field.empty()) out.member("field", "/data" + outcome->field);
    add_if(out, "hint", outcome->hint);
  }
  out.end_object();
}

void append_result(Json& out, std::size_t index, const EventResult& result, Outcomes outcomes,
                   const FormError& failure) {
  out.begin_object().member("index", index);
  add_if(out, "id", result.id);
  if (result.place) {
    out.member("status", "accepted")
        .name("receipt")
        .begin_object()
        .member("topic", machine::topic_name(result.place->topic))
        .member("partition", result.place->partition)
        .member("offset", std::to_string(result.place->offset))
        .end_object();
    if (outcomes == Outcomes::shown) append_outcome(out.name("outcome"), result.outcome);
  } else {
    out.member("status", result.problem ? "refused" : "failed");
    append_problem(out.name("problem"), result.problem ? *result.problem : failure);
  }
  out.end_object();
}

}  // namespace

Response event_answer(const std::vector<EventResult>& results, const runtime::Token& token, Outcomes outcomes,
                      const std::optional<Error>& failure) {
  std::uint64_t accepted = 0, refused = 0;
  for (const EventResult& result : results) {
    accepted += result.place ? 1 : 0;
    refused += result.problem ? 1 : 0;
  }
  const bool no_space = failure && failure->code == ErrorCode::out_of_space;
  const FormError append_failed{no_space ? "out_of_space" : "append_failed", "", "",
                                "send it again with the same id: if it is stored after all, it is a repeat"};
  Response response{.status = 202, .content_type = "application/json"};
  response.body.reserve(200 + results.size() * 160);
  Json out(response.body);
  out.begin_object();
  if (failure) {
    response.status = no_space ? 507 : 503;
    response.headers.push_back({"Retry-After", no_space ? "60" : "5"});
    out.member("type", std::string(kProblemPrefix) + append_failed.reason)
        .member("title", "Not all of the request could be made durable")
        .member("detail", failure->message)
        .member("hint", "send the whole request again with the same ids: what is stored already is a repeat");
  } else if (accepted == 0 && refused > 0) {
    response.status = 422;
    const auto first = std::find_if(results.begin(), results.end(),
                                    [](const EventResult& result) { return result.problem.has_value(); });
    out.member("type", std::string(kProblemPrefix) + "events_refused")
        .member("title", "Nothing was appended")
        .member("detail", fmt::format("{} of {} events were refused; the first: {}", refused, results.size(),
                                      first->problem->reason))
        .member("hint", "see the problem of each result");
  }
  if (response.status != 202) {
    response.content_type = "application/problem+json";
    out.member("status", response.status);
  }
  out.member("accepted", accepted).member("refused", refused);
  if (!token.places.empty()) out.member("after", token.text());
  out.name("results").begin_array();
  for (std::size_t i = 0; i < results.size(); ++i) append_result(out, i, results[i], outcomes, append_failed);
  out.end_array().end_object();
  return response;
}

std::optional<std::int64_t> preferred_wait_s(const http::Fields& headers) {
  constexpr std::string_view kWait = "wait=";
  for (const http::Field& field : headers) {
    if (field.name != "prefer") continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view one = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      one = one.substr(0, one.find(';'));
      std::string text;
      for (const char c : one)
        if (c != ' ' && c != '\t' && c != '"') text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (text.compare(0, kWait.size(), kWait) != 0) continue;
      std::int64_t seconds = 0;
      const char* end = text.data() + text.size();
      const auto [at, error] = std::from_chars(text.data() + kWait.size(), end, seconds);
      if (error == std::errc() && at == end && seconds >= 0 && seconds <= 86'400) return seconds;
    }
  }
  return std::nullopt;
}

}  // namespace granary::entry
