#include "shared/http/problem.h"

#include <fmt/format.h>

#include "shared/json/writer.h"

namespace granary::http {

std::pair<std::string, std::string> split_hint(std::string_view message) {
  constexpr std::string_view kHint = "; hint: ";
  const std::size_t at = message.find(kHint);
  if (at == std::string_view::npos) return {std::string(message), ""};
  return {std::string(message.substr(0, at)), std::string(message.substr(at + kHint.size()))};
}

std::string to_json(const Problem& problem) {
  std::string text;
  json::Writer out(text);
  out.begin_object().member("type", "urn:granary:problem:" + problem.type).member("title", problem.title);
  if (!problem.detail.empty()) out.member("detail", problem.detail);
  if (problem.field) out.member("field", *problem.field);
  if (problem.value) out.member("value", *problem.value);
  if (problem.hint) out.member("hint", *problem.hint);
  out.member("status", problem.status).end_object();
  return text;
}

Response make_response(const Problem& problem) {
  return {.status = problem.status, .content_type = "application/problem+json", .body = to_json(problem)};
}

Response unavailable(std::string type, std::string title, std::string detail, std::string hint) {
  Response response = make_response(Problem{.status = 503,
                                            .type = std::move(type),
                                            .title = std::move(title),
                                            .detail = std::move(detail),
                                            .hint = std::move(hint)});
  response.headers.push_back({"Retry-After", "5"});
  return response;
}

namespace {

Response bad_part(std::string type, std::string title, const std::string& name, const Error& error) {
  Problem problem;
  problem.status = 400;
  problem.type = std::move(type);
  problem.title = std::move(title);
  const auto [detail, hint] = split_hint(error.message);
  problem.detail = fmt::format("`{}`: {}", name, detail);
  if (!hint.empty()) problem.hint = hint;
  return make_response(problem);
}

}  // namespace

Response bad_parameter(const std::string& name, const Error& error) {
  return bad_part("bad_parameter", "A query parameter is wrong", name, error);
}

Response bad_header(const std::string& name, const Error& error) {
  return bad_part("bad_header", "A header is wrong", name, error);
}

}  // namespace granary::http
