#include "shared/http/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
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

// The segments, decoded; nullopt: they cannot be.
std::optional<std::vector<std::string>> segments_of(std::string_view path) {
  if (path.empty()) return std::nullopt;
  std::vector<std::string> segments;
  for (const std::string_view text : split(path)) {
    auto segment = percent_decode(text);
    if (!segment) return std::nullopt;
    segments.push_back(std::move(*segment));
  }
  return segments;
}

// A rest may become the name of a file: none that leads out of its folder.
bool may_be_in_rest(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         segment.find_first_of("/\\") == std::string_view::npos;
}

}  // namespace

const std::string& PathParameters::operator[](std::string_view name) const {
  for (const Field& field : values_) {
    if (field.name == name) return field.value;
  }
  check_failed("a name of the pattern", __FILE__, __LINE__, "no such path parameter: " + std::string(name));
}

Response path_not_found(const std::string& path) {
  return make_response({.status = 404,
                        .type = "path_not_found",
                        .title = "There is nothing at this path",
                        .detail = fmt::format("Expected a path of the API, got {}.", path),
                        .hint = "see the API's description for its paths"});
}

void Router::add(std::string method, std::string_view pattern, RouteHandler handler) {
  GRANARY_CHECK(!pattern.empty() && pattern.front() == '/', "a pattern begins with '/'");
  constexpr std::string_view kRest = "...}";
  Route route{std::move(method), {}, std::move(handler)};
  for (std::string_view text : split(pattern)) {
    GRANARY_CHECK(route.segments.empty() || route.segments.back().kind != Kind::rest, "a rest ends its pattern");
    Kind kind = Kind::literal;
    if (text.size() > 2 && text.front() == '{' && text.back() == '}') {
      kind = text.ends_with(kRest) ? Kind::rest : Kind::name;
      text = text.substr(1, text.size() - 1 - (kind == Kind::rest ? kRest.size() : 1));
      GRANARY_CHECK(!text.empty(), "a parameter has a name");
    }
    route.segments.push_back({std::string(text), kind});
  }
  const auto place = std::upper_bound(routes_.begin(), routes_.end(), route, goes_before);
  routes_.insert(place, std::move(route));
}

bool Router::goes_before(const Route& one, const Route& other) {
  return std::lexicographical_compare(one.segments.begin(), one.segments.end(), other.segments.begin(),
                                      other.segments.end(),
                                      [](const Segment& a, const Segment& b) { return a.kind < b.kind; });
}

bool Router::matches(const Route& route, const std::vector<std::string>& path, Fields& values) {
  values.clear();
  const std::vector<Segment>& segments = route.segments;
  const bool has_rest = segments.back().kind == Kind::rest;
  if (has_rest ? path.size() < segments.size() : path.size() != segments.size()) return false;
  const std::size_t single = segments.size() - (has_rest ? 1 : 0);
  for (std::size_t i = 0; i < single; ++i) {
    const bool is_name = segments[i].kind == Kind::name;
    if (is_name ? path[i].empty() : path[i] != segments[i].text) return false;
    if (is_name) values.push_back({segments[i].text, path[i]});
  }
  if (!has_rest) return true;
  std::string rest;
  for (std::size_t i = single; i < path.size(); ++i) {
    if (!may_be_in_rest(path[i])) return false;
    rest += (rest.empty() ? "" : "/") + path[i];
  }
  values.push_back({segments.back().text, std::move(rest)});
  return true;
}

bool Router::has_path(std::string_view text) const {
  const auto path = segments_of(text);
  Fields values;
  return path &&
         std::any_of(routes_.begin(), routes_.end(), [&](const Route& route) { return matches(route, *path, values); });
}

void Router::serve(Request request, Responder responder) const {
  const auto path = segments_of(request.path);
  if (!path) return responder(path_not_found(request.path));
  std::set<std::string> allowed;
  Fields values;
  for (const Route& route : routes_) {
    if (!matches(route, *path, values)) continue;
    if (route.method == request.method || (route.method == "GET" && request.method == "HEAD")) {
      return route.handler(std::move(request), PathParameters(std::move(values)), std::move(responder));
    }
    allowed.insert(route.method);
    if (route.method == "GET") allowed.insert("HEAD");
  }
  if (allowed.empty() && fallback_) return fallback_(std::move(request), std::move(responder));
  if (allowed.empty()) return responder(path_not_found(request.path));
  std::string list;
  for (const std::string& method : allowed) list += (list.empty() ? "" : ", ") + method;
  Response response = make_response({.status = 405,
                                     .type = "method_not_allowed",
                                     .title = "This path does not take this method",
                                     .detail = fmt::format("Expected {}, got {}.", list, request.method),
                                     .hint = "see the API's description"});
  response.headers.push_back({"Allow", list});
  responder(std::move(response));
}

}  // namespace granary::http
