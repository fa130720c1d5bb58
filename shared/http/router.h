// Which handler serves which method and path. Filled before the listener starts, then only read: safe on any thread.
// The router owns its handlers and must outlive the listener that calls it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/http/message.h"

namespace granary::http {

// The texts that a path has in place of the pattern's {names}, decoded and never empty.
class PathParameters {
 public:
  explicit PathParameters(Fields values) : values_(std::move(values)) {}
  // `name` is one of the route's pattern.
  [[nodiscard]] const std::string& operator[](std::string_view name) const;

 private:
  Fields values_;
};

class Router {
 public:
  using RouteHandler = std::function<void(Request, PathParameters, Responder)>;

  // `pattern` is "/" or "/literal/{name}/...": a segment is one or the other. A last segment "{name...}" takes the rest
  // of the path, one segment or more: "/assets/{path...}" serves "/assets/js/app.js" with `path` "js/app.js". No
  // segment of a rest is empty, "." or "..", or has a slash or backslash in it once it is decoded, so that it may name
  // a file. Of several that match, a literal goes before a {name} and that before a rest, from the first segment on; of
  // two that are alike the one added first serves. GET serves HEAD too.
  void add(std::string method, std::string_view pattern, RouteHandler handler);

  // Serves the paths that no route matches; without one they are answered 404.
  void set_fallback(Handler fallback) { fallback_ = std::move(fallback); }

  // Whether a route of any method matches this path, percent-encoded as requests have it.
  [[nodiscard]] bool has_path(std::string_view path) const;

  // Serves a request, or answers 404 (no such path, no fallback) or 405 (with Allow) as a problem.
  void serve(Request request, Responder responder) const;

 private:
  enum class Kind { literal, name, rest };  // in the order in which they are tried
  struct Segment {
    std::string text;
    Kind kind = Kind::literal;
  };
  struct Route {
    std::string method;
    std::vector<Segment> segments;
    RouteHandler handler;
  };
  static bool goes_before(const Route& one, const Route& other);
  static bool matches(const Route& route, const std::vector<std::string>& path, Fields& values);
  std::vector<Route> routes_;  // in the order in which they are tried
  Handler fallback_;
};

// 404: there is nothing at this path.
Response path_not_found(const std::string& path);

}  // namespace granary::http
