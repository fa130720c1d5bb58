#include "shared/http/router.h"

#include <set>

#include "shared/base/check.h"
#include "shared/http/problem.h"
#include "shared/http/uri.h"

namespace granary::http {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  std::size_t begin = 1;
  for (std::size_t end = 0; end != std::string_view::npos; begin = end + 1) {
    end = path.find('/', begin);
    out.push_back(path.substr(begin, end - begin));
  }
  return out;
}

Problem not_found(const std::string& path) {
  return {.status = 404,
          .type = "path_not_found",
          .title = "There is nothing at this path",
          .detail = "Expected a path of the API, got " + path + ".",
          .hint = "see the API's description for its paths"};
}

}  // namespace

const std::string& PathParameters::operator[](std::string_view name) const {
  for (const Field& field : values_) {
    if (field.name == name) return field.value;
  }
  check_failed("a name of the pattern", __FILE__, __LINE__, "no such path parameter: " + std::string(name));
}

void Router::add(std::string method, std::string_view pattern, RouteHandler handler) {
  GRANARY_CHECK(!pattern.empty() && pattern.front() == '/', "a pattern begins with '/'");
  Route route{std::move(method), {}, std::move(handler)};
  for (const std::string_view text : split(pattern)) {
    const bool is_name = text.size() > 2 && text.front() == '{' && text.back() == '}';
    route.segments.push_back({std::string(is_name ? text.substr(1, text.size() - 2) : text), is_name});
  }
  routes_.push_back(std::move(route));
}

bool Router::matches(const Route& route, const std::vector<std::string>& path, Fields& values) {
  if (route.segments.size() != path.size()) return false;
  values.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Segment& segment = route.segments[i];
    if (segment.is_name ? path[i].empty() : path[i] != segment.text) return false;
    if (segment.is_name) values.push_back({segment.text, path[i]});
  }
  return true;
}

void Router::serve(Request request, Responder responder) const {
  std::vector<std::string> path;
  if (request.path.empty()) return responder(make_response(not_found(request.path)));
  for (const std::string_view text : split(request.path)) {
    auto segment = percent_decode(text);
    if (!segment) return responder(make_response(not_found(request.path)));
    path.push_back(std::move(*segment));
  }
  std::set<std::string> allowed;
  Fields values;
  for (const Route& route : routes_) {
    if (!matches(route, path, values)) continue;
    if (route.method == request.method || (route.method == "GET" && request.method == "HEAD")) {
      return route.handler(std::move(request), PathParameters(std::move(values)), std::move(responder));
    }
    allowed.insert(route.method);
    if (route.method == "GET") allowed.insert("HEAD");
  }
  if (allowed.empty()) return responder(make_response(not_found(request.path)));
  std::string list;
  for (const std::string& method : allowed) list += (list.empty() ? "" : ", ") + method;
  Response response = make_response({.status = 405,
                                     .type = "method_not_allowed",
                                     .title = "This path does not take this method",
                                     .detail = "Expected " + list + ", got " + request.method + ".",
                                     .hint = "see the API's description"});
  response.headers.push_back({"Allow", list});
  responder(std::move(response));
}

}  // namespace granary::http
