#include "services/cli/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "shared/http/uri.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

constexpr std::size_t kAnswerBytesMax = 256U << 20;  // as much as the client takes
constexpr std::size_t kAnswerDepthMax = 16;          // no answer of a server is as deep

}  // namespace

Result<Api> Api::connect(const std::string& url) {
  auto client = http::Client::create(url);
  if (!client.ok()) return client.error();
  return Api(std::move(*client));
}

Error strange_answer(std::string_view expected, std::string_view got) {
  return {ErrorCode::io_error, fmt::format("expected {} in the server's answer, got {}; hint: see that --url names a "
                                           "Granary server of this version",
                                           expected, got)};
}

Result<json::Value> parse_answer(const std::string& body) {
  auto value = json::parse(body, {kAnswerBytesMax, kAnswerDepthMax});
  if (value.ok()) return value;
  const std::string& why = value.error().message;
  return strange_answer("JSON", fmt::format("another text ({})", why.substr(0, why.find("; hint: "))));
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
  return strange_answer(fmt::format("the member `{}` ({})", name, json::kind_name(kind)),
                        value == nullptr ? "none" : json::kind_name(value->kind()));
}

Result<const std::vector<json::Value>*> objects_of(const json::Value& row, std::string_view name) {
  const auto list = member_of(row, name, json::Kind::array);
  if (!list.ok()) return list.error();
  const auto& items = (*list)->items();
  const auto other =
      std::find_if_not(items.begin(), items.end(), [](const json::Value& item) { return item.is(json::Kind::object); });
  if (other != items.end())
    return strange_answer(fmt::format("objects in the list `{}`", name), json::kind_name(other->kind()));
  return &items;
}

Result<std::int64_t> integer_of(const json::Value& row, std::string_view name) {
  const auto value = member_of(row, name, json::Kind::number);
  if (!value.ok()) return value.error();
  if (const auto number = (*value)->integer()) return *number;
  return strange_answer(fmt::format("a whole number as `{}`", name), (*value)->number_text());
}

std::string problem_text(const http::Response& response) {
  const auto body = json::parse(response.body);
  std::string text = fmt::format("the server answered {}", response.status);
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
                           : response->status >= 400 ? ErrorCode::invalid_input
                                                     : ErrorCode::io_error;
    return Error{code, problem_text(*response)};
  }
  if (const auto shards = http::header(*response, "granary-folding-again"); shards && !std::exchange(has_noted_, true))
    service::complain(
        fmt::format("note: what {} says is from before an upgrade; its state is folded again, `granary "
                    "status` tells how far it is",
                    *shards));
  return parse_answer(response->body);
}

Result<void> Api::visit_rows(const std::string& path, const std::function<Result<void>(const json::Value&)>& visit) {
  const char joint = path.find('?') == std::string::npos ? '?' : '&';
  for (std::string cursor;;) {
    const auto page = get(cursor.empty() ? path : fmt::format("{}{}cursor={}", path, joint, cursor));
    if (!page.ok()) return page.error();
    const auto rows = objects_of(*page, "rows");
    if (!rows.ok()) return rows.error();
    for (const json::Value& row : **rows) GRANARY_TRY(visit(row));
    std::string next = http::percent_encode(text_of(*page, "next"));
    if (next.empty()) return {};
    if (next == cursor)
      return Error{ErrorCode::io_error,
                   fmt::format("expected the next page of {}, got the same again; hint: see that --url names a "
                               "Granary server",
                               path)};
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
  if (wait_seconds > 0) request.headers.push_back({"Prefer", fmt::format("wait={}", wait_seconds)});
  return client_.send(request);
}

}  // namespace granary::cli
