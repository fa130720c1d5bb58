// The server as the commands see it. Blocking; one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "shared/http/client.h"
#include "shared/json/strict_json.h"

namespace granary::standalone {

class Api {
 public:
  static Result<Api> connect(const std::string& url);

  // The answer's JSON; an answer that is a problem becomes an error with its words.
  Result<json::Value> get(const std::string& target);
  // Visits the rows of a paged list, page by page, so that memory does not grow with the list.
  Result<void> each_row(const std::string& path, const std::function<void(const json::Value&)>& visit);
  Result<http::Response> post(const std::string& target, std::string_view content_type, std::string body,
                              int wait_seconds);

 private:
  explicit Api(http::Client client) : client_(std::move(client)) {}
  http::Client client_;
};

// The words of a problem+json answer: title, detail, hint.
std::string problem_text(const http::Response& response);
// A member as text: strings as they are, numbers as they were written, others empty.
std::string text_of(const json::Value& row, std::string_view name);
// The short name of a problem's type: "end_before_start".
std::string problem_name(const json::Value& problem);
// Any value as JSON again.
void append_json(std::string& out, const json::Value& value);

}  // namespace granary::standalone
