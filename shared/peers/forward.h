// Passes requests on to other Granary processes, and their answers back: for reads and waits, never for facts (those
// go by the log). A small pool of threads with blocking clients, shared by the process; any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "shared/http/client.h"
#include "shared/http/message.h"

namespace granary::peers {

class Forwarder {
 public:
  Forwarder() = default;
  ~Forwarder();  // what waits is dropped; what is under way is waited for
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  // Sends `request` to the process at `url` and calls `done` once with its answer, or with why there is none
  // (unavailable), on a thread of the pool.
  void send(std::string url, http::ClientRequest request, std::function<void(Result<http::Response>)> done);

 private:
  struct Job {
    std::string url;
    http::ClientRequest request;
    std::function<void(Result<http::Response>)> done;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Job> jobs_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

Forwarder& forwarder();

// Whether another process of Granary's sent it here.
bool was_passed_on(const http::Request& request);

// Whether it may be passed on once more.
bool may_pass_on(const http::Request& request);

// Sends `request` on to the process at `url`; `done` as of send().
void pass_on(const std::string& url, const http::Request& request, std::function<void(Result<http::Response>)> done);

// Answers `request` with what the process at `owner` says to it. 503 with Retry-After where nobody is known to own the
// shard (`owner` is empty), where the owner does not answer, and where the request has been passed on too often already
// (two lists of peers that point at each other).
void forward(const std::string& owner, const http::Request& request, http::Responder responder);

}  // namespace granary::peers
