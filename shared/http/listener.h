// The HTTP/1.1 listener (Boost.Beast behind the framing gate of framing.h). start, port and metrics may be called on
// any thread, stop and the destructor on any but the listener's own. The listener owns its threads and connections;
// what the handler and the authenticator refer to must outlive stop().
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "shared/base/clock.h"
#include "shared/base/result.h"
#include "shared/http/framing.h"
#include "shared/http/message.h"

namespace granary::http {

// Called with a request's head, before its body is read, on the listener's threads: sets `caller` (`open` until then),
// or answers the request (401, 403) itself, which ends the connection. Must not wait or throw. A caller that is not
// well-formed (message.h) is a fault of the authenticator's: the request is answered 500 (`caller_malformed`).
using Authenticator = std::function<std::optional<Response>(Request& head)>;

struct ListenerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: a free one, see Listener::port
  int threads = 2;
  Limits limits = {};
  Authenticator authenticator = {};      // none: every caller is `open` (development mode)
  const Clock* clock = &system_clock();  // for the field Date alone
};

// Counters since the start, to be exported by others.
struct ListenerMetrics {
  std::array<std::atomic<std::uint64_t>, 6> answers_by_class{};  // [2]: 2xx, ...; refused requests are among them
  std::atomic<std::uint64_t> requests_refused{0};                // by the framing gate, a limit or the authenticator
  std::atomic<std::int64_t> requests_in_flight{0};               // at the handler, unanswered
  std::atomic<std::uint64_t> connections_accepted{0};            // those refused not among them
  std::atomic<std::uint64_t> connections_refused{0};             // over the limit of connections
  std::atomic<std::int64_t> connections_open{0};
  std::atomic<std::int64_t> streams_open{0};  // answers that stream now
  std::atomic<std::uint64_t> body_bytes_read{0};
};

class Listener {
 public:
  // Whether `text` is an address that a listener can have: an IP address, no name. Errors: invalid_input.
  static Result<void> check_address(const std::string& text);
  // Listens; the handler may be called before start returns. One request at a time of each connection reaches the
  // handler, so pipelined requests are answered in order; an exception out of the handler answers 500. Errors:
  // invalid_input (address), conflict (the port is taken), io_error.
  static Result<std::unique_ptr<Listener>> start(ListenerOptions options, Handler handler);

  ~Listener();  // stop(0)

  [[nodiscard]] std::uint16_t port() const;
  // Lives as long as the listener.
  [[nodiscard]] const ListenerMetrics& metrics() const;

  // Accepts nothing more, lets requests in flight finish for at most `grace`, closes all connections and ends the
  // threads. Answers that come later go nowhere. A second call does nothing.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace granary::http
