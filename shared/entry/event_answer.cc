#include "shared/entry/event_answer.h"

#include <algorithm>
#include <charconv>

#include "shared/http/problem.h"
#include "shared/json/writer.h"

namespace granary::entry {
namespace {

using codec::FormError;
using http::Response;

constexpr std::string_view kProblemPrefix = "urn:granary:problem:";

// Members of an object, written one after the other.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  void text(std::string_view name, std::string_view value) {
    key(name);
    json::append_json_string(out_, value);
  }
  void text_if(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  void number(std::string_view name, std::uint64_t value) {
    key(name);
    out_ += std::to_string(value);
  }
  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_problem(std::string& out, const FormError& error) {
  Members problem(out);
  problem.text("type", std::string(kProblemPrefix) + error.reason);
  problem.text("field", error.field);
  problem.text_if("value", error.value);
  problem.text_if("hint", error.hint);
  problem.end();
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

void append_outcome(std::string& out, const std::optional<machine::Outcome>& outcome) {
  Members members(out);
  members.text("judgement", outcome ? judgement_name(outcome->judgement) : "unknown");
  if (outcome) {
    members.text_if("reason", outcome->reason);
    // The fold points into the data, an answer into the event.
    if (!outcome->field.empty()) members.text("field", "/data" + outcome->field);
    members.text_if("hint", outcome->hint);
  }
  members.end();
}

void append_result(std::string& out, std::size_t index, const EventResult& result, Outcomes outcomes,
                   const FormError& failure) {
  Members row(out);
  row.number("index", index);
  row.text_if("id", result.id);
  if (result.place) {
    row.text("status", "accepted");
    row.key("receipt");
    Members receipt(out);
    receipt.text("topic", machine::topic_name(result.place->topic));
    receipt.number("partition", result.place->partition);
    receipt.text("offset", std::to_string(result.place->offset));
    receipt.end();
    if (outcomes == Outcomes::shown) {
      row.key("outcome");
      append_outcome(out, result.outcome);
    }
  } else {
    row.text("status", result.problem ? "refused" : "failed");
    row.key("problem");
    append_problem(out, result.problem ? *result.problem : failure);
  }
  row.end();
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
  std::string& out = response.body;
  out.reserve(200 + results.size() * 160);
  Members answer(out);
  if (failure) {
    response.status = no_space ? 507 : 503;
    response.headers.push_back({"Retry-After", no_space ? "60" : "5"});
    answer.text("type", std::string(kProblemPrefix) + append_failed.reason);
    answer.text("title", "Not all of the request could be made durable");
    answer.text("detail", failure->message);
    answer.text("hint", "send the whole request again with the same ids: what is stored already is a repeat");
  } else if (accepted == 0 && refused > 0) {
    response.status = 422;
    answer.text("type", std::string(kProblemPrefix) + "events_refused");
    answer.text("title", "Nothing was appended");
    answer.text("detail", std::to_string(refused) + " of " + std::to_string(results.size()) +
                              " events were refused; the first: " +
                              std::find_if(results.begin(), results.end(), [](const EventResult& result) {
                                return result.problem.has_value();
                              })->problem->reason);
    answer.text("hint", "see the problem of each result");
  }
  if (response.status != 202) {
    response.content_type = "application/problem+json";
    answer.number("status", static_cast<std::uint64_t>(response.status));
  }
  answer.number("accepted", accepted);
  answer.number("refused", refused);
  if (!token.places.empty()) answer.text("after", token.text());
  answer.key("results");
  out += '[';
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i > 0) out += ',';
    append_result(out, i, results[i], outcomes, append_failed);
  }
  out += ']';
  answer.end();
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
