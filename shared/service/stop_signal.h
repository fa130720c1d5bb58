// Waits for what ends a server: SIGTERM or SIGINT, or a failure that another thread reports.
//
// Threads: made before any other thread is started, so that all of them have the signals blocked; fail() from any.
#pragma once

#include <csignal>
#include <mutex>
#include <optional>

#include "shared/base/result.h"

namespace granary::service {

class StopSignal {
 public:
  StopSignal();
  // The first one counts.
  void fail(const Error& error);
  // nullopt: asked to stop.
  std::optional<Error> wait();

 private:
  sigset_t signals_{};
  std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace granary::service
