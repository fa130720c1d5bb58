#include "shared/http/framing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "shared/http/uri.h"

namespace granary::http {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::string_view kBlanks = " \t";

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

Problem malformed(std::string type, std::string detail, std::string hint) {
  return {.status = 400,
          .type = std::move(type),
          .title = "The request is malformed",
          .detail = std::move(detail),
          .hint = std::move(hint)};
}

Problem bad_length(std::string detail) {
  return malformed("bad_content_length", std::move(detail), "send Content-Length once, as plain digits");
}

Problem too_many_fields(const Limits& limits) {
  return {.status = 431,
          .type = "header_too_large",
          .title = "The request's head is too large",
          .detail = fmt::format("Expected at most {} fields, got more.", limits.header_count),
          .hint = "send fewer fields"};
}

// Fields that mean one thing: a second one would let two readers choose differently.
bool is_singleton(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kNames = {"host",          "content-length", "content-type",
                                                             "authorization", "expect",         "traceparent"};
  return name.substr(0, 3) == "ce-" || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool is_known_method(std::string_view method) {
  static constexpr std::array<std::string_view, 7> kMethods = {"GET",   "HEAD",   "POST",   "PUT",
                                                               "PATCH", "DELETE", "OPTIONS"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

bool needs_length(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

// uri-host [ ":" port ] by its characters.
bool is_host(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return !is_control(c) && static_cast<unsigned char>(c) < 0x80 &&
           std::string_view(" \t\"#/<>?@\\^`{|}").find(c) == std::string_view::npos;
  });
}

struct RequestLine {
  std::string_view method, target, version;
};

std::optional<Problem> read_request_line(std::string_view line, const Limits& limits, RequestLine& out) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return malformed("bad_request_line", "Expected METHOD TARGET VERSION, got something else.", "speak HTTP/1.1");
  }
  out = {line.substr(0, first), line.substr(first + 1, last - first - 1), line.substr(last + 1)};
  if (!is_token(out.method)) {
    return malformed("bad_request_line", "Expected a method, got something else.", "speak HTTP/1.1");
  }
  if (out.version != "HTTP/1.1" && out.version != "HTTP/1.0") {
    return Problem{.status = 505,
                   .type = "version_not_supported",
                   .title = "This version of HTTP is not spoken here",
                   .detail = "Expected HTTP/1.1 or HTTP/1.0, got another version.",
                   .hint = "speak HTTP/1.1"};
  }
  if (!is_known_method(out.method)) {
    return Problem{.status = 501,
                   .type = "method_not_implemented",
                   .title = "This method is not known here",
                   .detail = "Expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, got another method.",
                   .hint = "see the API's description for what each path takes"};
  }
  if (out.target.size() > limits.target_bytes) {
    return Problem{.status = 414,
                   .type = "target_too_long",
                   .title = "The request's target is too long",
                   .detail = fmt::format("Expected at most {} bytes, got {}.", limits.target_bytes, out.target.size()),
                   .hint = "ask for less at once"};
  }
  return std::nullopt;
}

std::optional<Problem> read_field(std::string_view line, Fields& fields) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return malformed("bad_field", "Expected NAME: VALUE on each line of the head, got something else.",
                     "no folded lines, no blank before the colon");
  }
  const std::string_view value = trim(line.substr(colon + 1));
  for (const char c : value) {
    if ((is_control(c) && c != '\t') || static_cast<unsigned char>(c) >= 0x80) {
      return malformed("bad_field", "Expected plain ASCII in field values, got another byte.",
                       "percent-encode what is not ASCII");
    }
  }
  std::string name = lower(line.substr(0, colon));
  if (is_singleton(name) && find_field(fields, name)) {
    return name == "content-length"
               ? bad_length("Expected Content-Length once, got it twice.")
               : malformed("repeated_field", fmt::format("Expected the field {} once, got it twice.", name),
                           "send it once");
  }
  fields.push_back({std::move(name), std::string(value)});
  return std::nullopt;
}

std::optional<Problem> check_host(const Fields& fields, std::string_view version) {
  const auto host = find_field(fields, "host");
  if (!host && version == "HTTP/1.0") return std::nullopt;
  if (host && is_host(*host)) return std::nullopt;
  return malformed("bad_host", "Expected one Host field with a host in it, got none.", "name the host you speak to");
}

// How long the body is. There is one way to say it, Content-Length; every transfer coding is refused.
std::optional<Problem> read_length(const Fields& fields, const Limits& limits, Head& head) {
  const auto text = find_field(fields, "content-length");
  if (find_field(fields, "transfer-encoding")) {
    return Problem{.status = text ? 400 : 411,
                   .type = "transfer_encoding_refused",
                   .title = "Transfer codings are not taken",
                   .detail = "Expected a body of a stated length, got a Transfer-Encoding.",
                   .hint = "send Content-Length instead of chunks"};
  }
  if (!text) {
    if (!needs_length(head.request.method)) return std::nullopt;
    return Problem{.status = 411,
                   .type = "length_required",
                   .title = "The length of the body is missing",
                   .detail = fmt::format("Expected Content-Length with {}, got none.", head.request.method),
                   .hint = "send Content-Length, 0 for an empty body"};
  }
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), head.content_length);
  if (!is_digits(*text) || error != std::errc()) {
    return bad_length("Expected Content-Length as a number of bytes, got something else.");
  }
  if (head.content_length <= limits.body_bytes) return std::nullopt;
  return Problem{.status = 413,
                 .type = "body_too_large",
                 .title = "The request's body is too large",
                 .detail = fmt::format("Expected at most {} bytes, got {}.", limits.body_bytes, *text),
                 .hint = "send it in smaller parts"};
}

std::optional<Problem> read_expectation(std::string_view version, Head& head) {
  const auto expect = find_field(head.request.headers, "expect");
  if (!expect || version == "HTTP/1.0") return std::nullopt;
  head.expects_continue = lower(*expect) == "100-continue";
  if (head.expects_continue) return std::nullopt;
  return Problem{.status = 417,
                 .type = "expectation_failed",
                 .title = "This expectation is not known here",
                 .detail = "Expected 100-continue in the field Expect, got something else.",
                 .hint = "leave Expect away"};
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::string clean_field_value(std::string_view value) {
  std::string out(value);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return out;
}

HeadScan scan_head(std::string_view data, std::size_t from, const Limits& limits) {
  const std::size_t end = std::min(data.size(), limits.header_bytes);
  std::size_t at = from;
  for (; at < end; ++at) {
    const char c = data[at];
    if (c == '\r') {
      if (at + 1 == data.size()) break;  // what comes after it decides
      if (data[at + 1] != '\n') return {HeadScan::State::broken, at};
    } else if (c == '\n') {
      if (at == 0 || data[at - 1] != '\r') return {HeadScan::State::broken, at};
      if (at >= 3 && data.substr(at - 3, kEnd.size()) == kEnd) return {HeadScan::State::complete, at + 1};
    } else if (is_control(c) && c != '\t') {
      return {HeadScan::State::broken, at};
    }
  }
  if (data.size() >= limits.header_bytes) return {HeadScan::State::too_large, at};
  return {HeadScan::State::incomplete, at};
}

std::variant<Head, Problem> parse_head(std::string_view head, const Limits& limits) {
  Head out;
  RequestLine request_line;
  std::string_view rest = head.substr(0, head.size() - 2);  // without the empty line
  const auto take_line = [&rest] {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line;
  };
  if (auto problem = read_request_line(take_line(), limits, request_line)) return std::move(*problem);
  Fields& fields = out.request.headers;
  while (!rest.empty()) {
    if (fields.size() == limits.header_count) return too_many_fields(limits);
    if (auto problem = read_field(take_line(), fields)) return std::move(*problem);
  }
  auto target = parse_target(request_line.target);
  if (!target.ok()) {
    return malformed("bad_target", target.error().message, "send the path alone, plain ASCII, percent-encoded");
  }
  out.request.method = request_line.method;
  out.request.path = std::move(target->path);
  out.request.query = std::move(target->query);
  if (auto problem = check_host(fields, request_line.version)) return std::move(*problem);
  if (auto problem = read_length(fields, limits, out)) return std::move(*problem);
  if (auto problem = read_expectation(request_line.version, out)) return std::move(*problem);
  return out;
}

}  // namespace granary::http
