// Answers that say what went wrong, as RFC 9457 problem details. Plain values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "shared/base/result.h"
#include "shared/http/message.h"

namespace granary::http {

struct Problem {
  int status = 500;
  // A short snake_case name, the same for ever: it goes out as the URI "urn:granary:problem:<name>", and programs
  // compare it whole.
  std::string type = {};
  std::string title = {};                 // the same for every problem of this type
  std::string detail = {};                // this one: what was expected, what came
  std::optional<std::string> field = {};  // JSON pointer into the body (RFC 6901), "" for all of it
  std::optional<std::string> value = {};  // what was there, as text
  std::optional<std::string> hint = {};   // what to do
};

// An error's message, "expected X, got Y; hint: Z", in the two parts that a problem has members for. The hint is empty
// if there is none.
std::pair<std::string, std::string> split_hint(std::string_view message);

// One JSON object with the members that are set; valid JSON whatever bytes the texts have.
std::string to_json(const Problem& problem);

// The answer with the problem's status, as application/problem+json.
Response make_response(const Problem& problem);

// 503 with Retry-After.
Response unavailable(std::string type, std::string title, std::string detail, std::string hint);

// 400: the query parameter `name` is wrong, as the error's message says.
Response bad_parameter(const std::string& name, const Error& error);

// The same of a header.
Response bad_header(const std::string& name, const Error& error);

}  // namespace granary::http
