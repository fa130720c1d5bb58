// The framing gate: what a request's head may look like. Stricter than RFC 9112 if two readers could disagree on where
// a message ends, because that is how requests are smuggled; Beast alone lets more than ten such forms through. Pure
// functions over bytes; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "shared/http/message.h"
#include "shared/http/problem.h"

namespace granary::http {

struct Limits {
  std::size_t header_bytes = 8U << 10;  // request line and fields together; over it 431
  std::size_t header_count = 64;        // fields; over it 431
  std::size_t target_bytes = 4U << 10;  // over it 414
  std::size_t body_bytes = 1U << 20;    // over it 413, before the body is read
  std::size_t connections = 1024;       // over it 503
  std::size_t streams = 256;            // answers that stream, of these connections; over it 503
  // Each bounds a whole step, not a single read; a step that takes longer ends the connection.
  std::chrono::milliseconds header_time{10'000};  // from a request's first byte (a connection's first: from its start)
  std::chrono::milliseconds body_time{30'000};
  std::chrono::milliseconds write_time{30'000};  // of an answer that streams: of each piece
  std::chrono::milliseconds idle_time{60'000};   // between two requests of a connection
  std::chrono::milliseconds linger_time{2'000};  // in which the bytes of a refused caller are dropped
};

// How far the head of a request has come in.
struct HeadScan {
  enum class State { incomplete, complete, broken, too_large };
  State state = State::incomplete;
  std::size_t bytes = 0;  // complete: of the head with its empty line; incomplete: the next scan begins there
};

// Looks for the end of the head in `data`, from `from` on (0, or what the last scan of the same head said). A byte that
// no head may contain makes it broken at once, so that nobody waits for an end that cannot come.
HeadScan scan_head(std::string_view data, std::size_t from, const Limits& limits);

struct Head {
  Request request;  // without body, peer and caller
  std::uint64_t content_length = 0;
  bool expects_continue = false;
};

// Reads a whole head, with its empty line. A problem (4xx or 5xx) means: answer it, read nothing more, close.
std::variant<Head, Problem> parse_head(std::string_view head, const Limits& limits);

// Whether `text` is a token (RFC 9110 section 5.6.2), as methods and field names are.
bool is_token(std::string_view text);

// `value` with each CR, LF and NUL as a blank, so that no field value ends its line.
std::string clean_field_value(std::string_view value);

}  // namespace granary::http
