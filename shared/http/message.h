// HTTP requests and responses as plain values, and the callback that takes an answer. A value belongs to its
// holder; a Responder may be moved to and called on any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/result.h"

namespace granary::http {

struct Field {
  std::string name;
  std::string value;
};
using Fields = std::vector<Field>;

// How it is known who asks. `open`: nobody has to say so (development mode).
enum class CallerKind : std::uint8_t { open = 1, token, oidc, mtls };

// Who asks. The log keeps it with what is posted, so `id` is opaque: neither a name nor an address.
struct Caller {
  CallerKind kind = CallerKind::open;
  std::string id = {};
};

inline constexpr std::size_t kCallerIdBytesMax = 64;

// Whether it is what an authenticator may say: a kind of the list above, and an id of at most kCallerIdBytesMax bytes
// of UTF-8 without control characters and "@", empty for `open` alone.
bool is_well_formed(const Caller& caller);

struct Request {
  std::string method;  // "GET", "POST", ...
  std::string path;    // begins with '/', still percent-encoded (the router decodes it segment by segment)
  Fields query;        // decoded, in order; '+' means a space, as forms write it
  Fields headers;      // names in lower case, in order; values without surrounding blanks, ASCII
  std::string body;
  std::string peer;  // address and port of the other end, for log lines: "127.0.0.1:40312"
  Caller caller;     // who asks; the authenticator sets it from the head, before the body is read, and nobody else
};

// A body that is made while it is sent, because it is too long to hold or nobody knows yet how it goes on. One piece of
// it is held at a time, so that a slow reader costs no memory.
//
// Threads: next() and end_soon() are called on the connection's strand and must not wait. Ownership: the connection's;
// it is destroyed on one of the listener's threads once it is whole, its reader has gone, or the listener has stopped.
// What is taken after that goes nowhere.
class StreamedBody {
 public:
  // Takes a piece of any length; a small part of a megabyte serves best, because a piece has `write_time` to go out
  // (Limits). An empty one: the body is whole. An error: it breaks off, and the connection closes so that no reader
  // takes what came for the whole.
  using Take = std::function<void(Result<std::string>)>;

  virtual ~StreamedBody() = default;
  // Asks for the next piece once the one before is written. Calls `take` once, at any time and on any thread.
  virtual void next(Take take) = 0;
  // The listener is about to stop. A body without an end of its own ends with its next piece.
  virtual void end_soon() {}
};

struct Response {
  int status = 200;
  std::string content_type = {};  // empty: none is sent
  Fields headers = {};            // framing fields (Content-Length, Connection, ...) are the listener's and are dropped
  std::string body = {};
  // Set: it makes the body in place of `body`, and the connection ends with it.
  std::shared_ptr<StreamedBody> streamed = nullptr;
};

// The first field (query parameter) of that name; `name` of a header in lower case. Lives as long as the fields.
std::optional<std::string_view> find_field(const Fields& fields, std::string_view name);

inline std::optional<std::string_view> header(const Request& request, std::string_view name) {
  return find_field(request.headers, name);
}
inline std::optional<std::string_view> query(const Request& request, std::string_view name) {
  return find_field(request.query, name);
}
// Of a response the name is compared without regard to case.
std::optional<std::string_view> header(const Response& response, std::string_view name);

// Takes the one answer to a request, at any time and on any thread. One that goes away unused answers 500, so that no
// caller waits for ever.
class Responder {
 public:
  explicit Responder(std::function<void(Response)> send) : send_(std::move(send)) {}
  Responder(Responder&& other) noexcept : send_(std::exchange(other.send_, nullptr)) {}
  Responder& operator=(Responder&& other) noexcept;
  ~Responder() { drop(); }

  // Must be called at most once, and not on one that was moved from.
  void operator()(Response response);

 private:
  void drop() noexcept;
  std::function<void(Response)> send_;
};

// What serves requests. Called on the listener's threads: one that has to wait keeps the responder, returns, and
// answers later.
using Handler = std::function<void(Request, Responder)>;

}  // namespace granary::http
