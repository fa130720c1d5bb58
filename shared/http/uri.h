// The few parts of URIs (RFC 3986) that this project needs, by Boost.URL, which this file alone includes, and in places
// more strictly. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/http/message.h"

namespace granary::http {

// The text behind the %XX of `text`. nullopt for a broken escape, and if the outcome is not UTF-8 or has control
// characters in it: no name or id of this project does.
std::optional<std::string> percent_decode(std::string_view text);

// `text` with all but letters, digits and -._~ as %XX: fit for a path segment or a query value.
std::string percent_encode(std::string_view text);

// Whether `text` is a URI reference (RFC 3986 section 4.1).
bool is_uri_reference(std::string_view text);

struct Target {
  std::string path;  // still percent-encoded
  Fields query;      // decoded
};

// An origin-form request target (RFC 9112 section 3.2.1). Errors: invalid_input.
Result<Target> parse_target(std::string_view text);

struct Url {
  std::string host;  // a name or an address, an IPv6 one without its brackets
  std::uint16_t port = 80;
  std::string path;       // "" or "/..." without a slash at the end: goes before each target
  std::string authority;  // as the Host field wants it: "[::1]:8080"
};

// "http://HOST[:PORT][/PATH]": no user, query or fragment. Errors: invalid_input.
Result<Url> parse_url(std::string_view text);

}  // namespace granary::http
