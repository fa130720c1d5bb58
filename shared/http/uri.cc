#include "shared/http/uri.h"

#include <algorithm>
#include <charconv>

#include "shared/json/utf8.h"

namespace granary::http {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_unreserved(char c) {
  return is_alphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What may stand in path and query as it is (RFC 3986 section 3.3), beside '%' and, in the query, '?'.
bool is_path_char(char c) {
  return is_alphanumeric(c) || std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

Error target_error(const std::string& problem) {
  return {ErrorCode::invalid_input, "expected a request target like /path?name=value, got " + problem +
                                        "; hint: percent-encode what is not a plain character"};
}

Error url_error(std::string_view text, const std::string& problem) {
  return {ErrorCode::invalid_input, "expected a URL like http://HOST:PORT, got '" + std::string(text) +
                                        "': " + problem + "; hint: give scheme, host and port, nothing else"};
}

// Takes an IPv6 address in brackets, a name or an IPv4 address off the front of `rest`.
std::optional<std::string> take_host(std::string_view& rest) {
  if (!rest.empty() && rest.front() == '[') {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos || end < 3) return std::nullopt;
    const std::string_view address = rest.substr(1, end - 1);
    const bool is_plain =
        std::all_of(address.begin(), address.end(), [](char c) { return hex_digit(c) >= 0 || c == ':' || c == '.'; });
    if (!is_plain || address.find(':') == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(end + 1);
    return std::string(address);
  }
  const auto end = std::find_if_not(rest.begin(), rest.end(),
                                    [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
  if (end == rest.begin()) return std::nullopt;
  std::string host(rest.begin(), end);
  rest.remove_prefix(host.size());
  return host;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[at + 1]);
    const int low = hex_digit(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  const bool has_control =
      std::any_of(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (has_control || !json::is_utf8(out)) return std::nullopt;
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xFU];
    }
  }
  return out;
}

Result<Target> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return target_error("one that does not begin with '/'");
  Target target;
  const std::size_t mark = text.find('?');
  target.path = text.substr(0, mark);
  for (const char c : text) {
    if (!is_path_char(c) && c != '%' && c != '?') return target_error("a character that must be percent-encoded");
  }
  if (!percent_decode(target.path)) return target_error("a path whose %-escapes are broken");
  if (mark == std::string_view::npos) return target;
  std::string_view rest = text.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    std::string pair(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (pair.empty()) continue;
    std::replace(pair.begin(), pair.end(), '+', ' ');
    const std::size_t equals = pair.find('=');
    auto name = percent_decode(std::string_view(pair).substr(0, equals));
    auto value = percent_decode(equals == std::string::npos ? "" : std::string_view(pair).substr(equals + 1));
    if (!name || !value) return target_error("a query whose %-escapes are broken");
    target.query.push_back({std::move(*name), std::move(*value)});
  }
  return target;
}

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (text.substr(0, kScheme.size()) != kScheme) return url_error(text, "it does not begin with http://");
  std::string_view rest = text.substr(kScheme.size());
  const std::string_view before = rest;
  auto host = take_host(rest);
  if (!host) return url_error(text, "its host is missing or broken");
  Url url;
  url.host = std::move(*host);
  url.authority = before.substr(0, before.size() - rest.size());
  if (!rest.empty() && rest.front() == ':') {
    rest.remove_prefix(1);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), url.port);
    if (error != std::errc() || url.port == 0) return url_error(text, "its port is not a number from 1 to 65535");
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (url.port != 80) url.authority += ':' + std::to_string(url.port);
  }
  if (!rest.empty()) {
    const auto target = parse_target(rest);
    if (!target.ok() || rest.find('?') != std::string_view::npos) return url_error(text, "its path is broken");
    url.path = target->path;
    while (!url.path.empty() && url.path.back() == '/') url.path.pop_back();
  }
  return url;
}

}  // namespace granary::http
