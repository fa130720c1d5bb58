#include "shared/http/client_wire.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/http/framing.h"

namespace granary::http {
namespace {

namespace bhttp = boost::beast::http;

bool is_target(std::string_view text) {
  return !text.empty() && text.front() == '/' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
}

std::string text_of(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

std::optional<Error> check_request(const ClientRequest& request) {
  const bool has_names = std::all_of(request.headers.begin(), request.headers.end(),
                                     [](const Field& field) { return is_token(field.name); });
  if (is_token(request.method) && is_target(request.target) && has_names) return std::nullopt;
  return Error{ErrorCode::invalid_input, fmt::format("expected a method, a target and field names in plain ASCII, got "
                                                     "{} {}; hint: percent-encode what is not a plain character",
                                                     request.method, request.target)};
}

WireRequest wire_request(const Url& url, const ClientRequest& request) {
  WireRequest message;
  message.version(11);
  message.method_string(request.method);
  message.target(url.path + request.target);
  for (const Field& field : request.headers) message.insert(field.name, clean_field_value(field.value));
  message.set(bhttp::field::host, url.authority);
  if (!request.content_type.empty()) message.set(bhttp::field::content_type, clean_field_value(request.content_type));
  message.body() = request.body;
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD"))
    message.content_length(request.body.size());
  return message;
}

Response response_of(WireResponseParser& parser) {
  auto& answer = parser.get();
  Response response;
  response.status = static_cast<int>(answer.result_int());
  response.content_type = text_of(answer[bhttp::field::content_type]);
  for (const auto& field : answer) response.headers.push_back({text_of(field.name_string()), text_of(field.value())});
  response.body = std::move(answer.body());
  return response;
}

Error no_answer(const Url& url, const boost::system::error_code& error) {
  const std::string where = "http://" + url.authority;
  if (error.category() == bhttp::make_error_code(bhttp::error::bad_version).category() &&
      error != bhttp::error::end_of_stream && error != bhttp::error::partial_message) {
    return {ErrorCode::io_error, fmt::format("expected an HTTP answer from {}, got: {}; hint: see that the URL names "
                                             "Granary's own port, and ask for less at once",
                                             where, error.message())};
  }
  return {ErrorCode::unavailable,
          fmt::format("expected an answer from {}, got: {}; hint: see that the service runs and listens there", where,
                      error.message())};
}

}  // namespace granary::http
