// The server as the commands see it. Blocking; one thread.
//
// Nothing that a server answers is trusted: what no Granary says becomes an error (`strange_answer`), never a crash.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "shared/http/client.h"
#include "shared/json/strict_json.h"

namespace granary::cli {

class Api {
 public:
  static Result<Api> connect(const std::string& url);

  // The answer's JSON; an answer that is a problem becomes an error with its words. That an old state had a part in it
  // is told on standard error, once.
  Result<json::Value> get(const std::string& target);
  // Visits the rows of a paged list, each an object, page by page, so that memory does not grow with the list. A visit
  // that answers a Result may end it with an error, which is then its own.
  template <class Visit>
  Result<void> each_row(const std::string& path, Visit visit) {
    return visit_rows(path, [&visit](const json::Value& row) -> Result<void> {
      if constexpr (std::is_void_v<std::invoke_result_t<Visit, const json::Value&>>) {
        visit(row);
        return {};
      } else {
        return visit(row);
      }
    });
  }
  // `wait_seconds`: how long the server may wait for the effect of what is posted; 0: it need not.
  Result<http::Response> post(const std::string& target, std::string_view content_type, std::string body,
                              int wait_seconds);

 private:
  explicit Api(http::Client client) : client_(std::move(client)) {}
  Result<void> visit_rows(const std::string& path, const std::function<Result<void>(const json::Value&)>& visit);

  http::Client client_;
  bool has_noted_ = false;
};

// That the server answered what no Granary of this version answers. An io_error: the command cannot run (exit code 3).
Error strange_answer(std::string_view expected, std::string_view got);
// The JSON of an answer's body. Errors: strange_answer.
Result<json::Value> parse_answer(const std::string& body);
// The words of a problem+json answer: title, detail, hint.
std::string problem_text(const http::Response& response);
// A member as text: strings as they are, numbers as they were written, others empty.
std::string text_of(const json::Value& row, std::string_view name);
// The short name of a problem's type: "end_before_start".
std::string problem_name(const json::Value& problem);
// A member of an answer that has to be there, of that kind. Errors: strange_answer. The pointer lives as long as `row`.
Result<const json::Value*> member_of(const json::Value& row, std::string_view name, json::Kind kind);
// The same of a list whose items are all objects.
Result<const std::vector<json::Value>*> objects_of(const json::Value& row, std::string_view name);
// The same of a whole number.
Result<std::int64_t> integer_of(const json::Value& row, std::string_view name);

}  // namespace granary::cli
