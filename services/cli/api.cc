#include "services/cli/api.h"

#include <utility>

#include "shared/service/program.h"

namespace granary::cli {

Result<Api> Api::connect(const std::string& url) {
  auto client = http::Client::create(url);
  if (!client.ok()) return client.error();
  return Api(std::move(*client));
}

std::string text_of(const json::Value& row, std::string_view name) {
  const json::Value* value = row.find(name);
  if (value == nullptr) return {};
  if (value->is(json::Kind::string)) return value->string();
  if (value->is(json::Kind::number)) return value->number_text();
  return {};
}

Result<const json::Value*> member_of(const json::Value& row, std::string_view name, json::Kind kind) {
  const json::Value* value = row.find(name);
  if (value != nullptr && value->is(kind)) return value;
  return Error{ErrorCode::io_error, "expected the member `" + std::string(name) + "` (" + json::kind_name(kind) +
                                        ") in the server's answer, got " +
                                        (value == nullptr ? "none" : json::kind_name(value->kind())) +
                                        "; hint: see that --url names a Granary server of this version"};
}

Result<std::int64_t> integer_of(const json::Value& row, std::string_view name) {
  const auto value = member_of(row, name, json::Kind::number);
  if (!value.ok()) return value.error();
  if (const auto number = (*value)->integer()) return *number;
  return Error{ErrorCode::io_error, "expected a whole number as `" + std::string(name) +
                                        "` in the server's answer, got " + (*value)->number_text() +
                                        "; hint: see that --url names a Granary server of this version"};
}

std::string problem_text(const http::Response& response) {
  const auto body = json::parse(response.body);
  std::string text = "the server answered " + std::to_string(response.status);
  if (!body.ok()) return text;
  for (const char* name : {"title", "detail"})
    if (const std::string part = text_of(*body, name); !part.empty()) text += ": " + part;
  if (const std::string hint = text_of(*body, "hint"); !hint.empty()) text += "; hint: " + hint;
  return text;
}

std::string problem_name(const json::Value& problem) {
  const std::string type = text_of(problem, "type");
  return type.substr(type.rfind(':') + 1);
}

Result<json::Value> Api::get(const std::string& target) {
  http::ClientRequest request;
  request.target = target;
  const auto response = client_.send(request);
  if (!response.ok()) return response.error();
  if (response->status != 200) {
    const ErrorCode code = response->status == 404   ? ErrorCode::not_found
                           : response->status >= 500 ? ErrorCode::unavailable
                                                     : ErrorCode::invalid_input;
    return Error{code, problem_text(*response)};
  }
  if (const auto shards = http::header(*response, "granary-folding-again"); shards && !std::exchange(has_noted_, true))
    service::complain("note: what " + std::string(*shards) + " says is from before an upgrade; its state is folded " +
                      "again, `granary status` tells how far it is");
  return json::parse(response->body, {256U << 20, 16});
}

Result<void> Api::visit_rows(const std::string& path, const std::function<Result<void>(const json::Value&)>& visit) {
  const char joint = path.find('?') == std::string::npos ? '?' : '&';
  for (std::string cursor;;) {
    const auto page = get(cursor.empty() ? path : path + joint + "cursor=" + cursor);
    if (!page.ok()) return page.error();
    const auto rows = member_of(*page, "rows", json::Kind::array);
    if (!rows.ok()) return rows.error();
    for (const json::Value& row : (*rows)->items()) GRANARY_TRY(visit(row));
    std::string next = text_of(*page, "next");
    if (next.empty()) return {};
    if (next == cursor)
      return Error{ErrorCode::io_error, "expected the next page of " + path +
                                            ", got the same again; hint: see that --url names a Granary server"};
    cursor = std::move(next);
  }
}

Result<http::Response> Api::post(const std::string& target, std::string_view content_type, std::string body,
                                 int wait_seconds) {
  http::ClientRequest request;
  request.method = "POST";
  request.target = target;
  request.content_type = content_type;
  request.body = std::move(body);
  if (wait_seconds > 0) request.headers.push_back({"Prefer", "wait=" + std::to_string(wait_seconds)});
  return client_.send(request);
}

}  // namespace granary::cli
