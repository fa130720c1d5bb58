// HTTP requests and responses as plain values, and the callback that takes an answer. A value belongs to its
// holder; a Responder may be moved to and called on any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

struct Response {
  int status = 200;
  std::string content_type = {};  // empty: none is sent
  Fields headers = {};            // framing fields (Content-Length, Connection, ...) are the listener's and are dropped
  std::string body = {};
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
