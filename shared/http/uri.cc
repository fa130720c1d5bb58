#include "shared/http/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/encode.hpp>
#include <boost/url/grammar/alnum_chars.hpp>
#include <boost/url/ipv6_address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

#include "shared/json/utf8.h"

namespace granary::http {
namespace {

namespace urls = boost::urls;

urls::string_view boost_view(std::string_view text) {
  return {text.data(), text.size()};
}

template <class View>
std::string text_of(const View& view) {
  return {view.data(), view.size()};
}

bool is_text(std::string_view text) {
  return json::is_utf8(text) && std::none_of(text.begin(), text.end(),
                                             [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::optional<std::string> decode(const urls::pct_string_view& text, bool space_as_plus) {
  urls::encoding_opts options;
  options.space_as_plus = space_as_plus;
  std::string out = text.decode(options);
  if (!is_text(out)) return std::nullopt;
  return out;
}

// Boost.URL takes brackets in a query, RFC 3986 does not; two readers of a target could disagree about it.
bool has_brackets(std::string_view text) {
  return text.find_first_of("[]") != std::string_view::npos;
}

Error target_error(const std::string& problem) {
  return {
      ErrorCode::invalid_input,
      fmt::format(
          "expected a request target like /path?name=value, got {}; hint: percent-encode what is not a plain character",
          problem)};
}

Error url_error(std::string_view text, const std::string& problem) {
  return {
      ErrorCode::invalid_input,
      fmt::format("expected a URL like http://HOST:PORT, got '{}': {}; hint: give scheme, host and port, nothing else",
                  text, problem)};
}

// Takes an IPv6 address in brackets, a name or an IPv4 address off the front of `rest`. Not by Boost.URL: version 1.81
// reads 10.0.0.1.example.org as the host 10.0.0.1 and the port 80080 as 14544.
std::optional<std::string> take_host(std::string_view& rest) {
  std::string host;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = rest.substr(1, end - 1);
    if (!urls::parse_ipv6_address(host)) return std::nullopt;
    rest.remove_prefix(end + 1);
    return host;
  }
  const auto end = std::find_if_not(rest.begin(), rest.end(), [](char c) {
    return urls::grammar::alnum_chars(c) || c == '-' || c == '.' || c == '_';
  });
  host.assign(rest.begin(), end);
  rest.remove_prefix(host.size());
  if (host.empty()) return std::nullopt;
  return host;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  const auto valid = urls::make_pct_string_view(boost_view(text));
  return valid ? decode(*valid, false) : std::nullopt;
}

std::string percent_encode(std::string_view text) {
  return urls::encode(boost_view(text), urls::unreserved_chars);
}

bool is_uri_reference(std::string_view text) {
  return urls::parse_uri_reference(boost_view(text)).has_value();
}

Result<Target> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return target_error("one that does not begin with '/'");
  const auto parsed = urls::parse_origin_form(boost_view(text));
  if (!parsed || has_brackets(text)) return target_error("a character that must be percent-encoded");
  Target target;
  target.path = text_of(parsed->encoded_path());
  if (!percent_decode(target.path)) return target_error("a path whose %-escapes are broken");
  for (const auto& parameter : parsed->encoded_params()) {
    if (parameter.key.empty() && !parameter.has_value) continue;
    auto name = decode(parameter.key, true);
    auto value = decode(parameter.value, true);
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
