// An HTTP/1.1 client that many requests use at a time without a thread each: its connections live on a Loop. For
// requests between Granary's own processes.
//
// Threads: send() on any, stop() and the destructor on any but the loop's own; neither at the same time as the loop's
// stop(). `done` runs on the loop's thread, or before send() returns; it must not wait. Ownership: the loop outlives
// the client. After stop() no `done` runs: those that have not are destroyed.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "shared/base/result.h"
#include "shared/http/client_request.h"
#include "shared/http/loop.h"
#include "shared/http/message.h"

namespace granary::http {

struct AsyncClientOptions {
  // Each request has a connection for itself until its answer is in; what comes more to one URL waits for one.
  std::size_t connections_per_url_max = 32;
  // Under way and waiting, to all URLs; more are refused.
  std::size_t requests_max = 4096;
  // How long a connection that nobody uses is kept: less than the listener's idle_time.
  std::chrono::milliseconds idle_time{30'000};
  ClientOptions limits = {};  // of each request
};

class AsyncClient {
 public:
  using Done = std::function<void(Result<Response>)>;

  explicit AsyncClient(Loop& loop, AsyncClientOptions options = {});
  ~AsyncClient();  // stop()
  AsyncClient(const AsyncClient&) = delete;
  AsyncClient& operator=(const AsyncClient&) = delete;

  // Sends `request` to `url` (of the form that parse_url takes) and calls `done` once with the answer, whatever its
  // status. A kept connection that the server closed in the meantime is opened once more and the request sent again:
  // safe, because everything that Granary takes has an identity. Errors: invalid_input (a URL or request that cannot be
  // written), unavailable (nobody there, too slow, or too many requests at a time), io_error (an answer that is no
  // HTTP, or too large).
  void send(const std::string& url, ClientRequest request, Done done) {
    send(url, std::move(request), std::nullopt, std::move(done));
  }
  // The same, but if `wanted` has gone before there is a connection for the request, it is dropped without a word.
  void send(const std::string& url, ClientRequest request, std::optional<std::weak_ptr<void>> wanted, Done done);

  // Ends all connections, also those that wait for a silent server. A second call does nothing.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace granary::http
