// Passes requests on to other Granary processes, and their answers back: for reads and waits, never for facts (those
// go by the log).
//
// Threads: all functions on any, stop() on any but the loop's. `done` runs on the loop's thread, or before the function
// returns; it must not wait. Ownership: the loop outlives the forwarder; after stop() no `done` runs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "shared/http/async_client.h"
#include "shared/http/loop.h"
#include "shared/http/message.h"

namespace granary::peers {

class Forwarder {
 public:
  using Done = std::function<void(Result<http::Response>)>;

  explicit Forwarder(http::Loop& loop);

  [[nodiscard]] http::Loop& loop() const { return loop_; }

  // Sends `request` to the process at `url` and calls `done` once with its answer, or with why there is none
  // (unavailable). The answer is expected soon.
  void ask(const std::string& url, http::ClientRequest request, Done done);

  // The same for a question that the other process may keep for half a minute. These have connections of their own, so
  // that any number of them does not hold up what is answered soon. One whose `wanted` has gone is not sent any more.
  void wait(const std::string& url, http::ClientRequest request, std::weak_ptr<void> wanted, Done done);

  // Sends `request` on to the process at `url`; `done` as of ask().
  void pass_on(const std::string& url, const http::Request& request, Done done);

  // Answers `request` with what the process at `owner` says to it. 503 with Retry-After if nobody is known to own the
  // shard (`owner` is empty), if the owner does not answer, and if the request has been passed on too often already
  // (two lists of peers that point at each other).
  void forward(const std::string& owner, const http::Request& request, http::Responder responder);

  // Ends what is under way, also if the other process is silent. A second call does nothing.
  void stop();

 private:
  http::Loop& loop_;
  http::AsyncClient soon_;
  http::AsyncClient waiting_;
};

// Whether another process of Granary's sent it here.
bool was_passed_on(const http::Request& request);

// Whether it may be passed on once more.
bool may_pass_on(const http::Request& request);

}  // namespace granary::peers
