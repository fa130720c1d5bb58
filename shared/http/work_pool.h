// Threads for work that may wait, so that the listener's never do. Bounded in threads and in work that waits for one.
// Threads: run() on any. Ownership: what the work refers to outlives stop().
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace granary::http {

class WorkPool {
 public:
  // `waiting_max`: pieces of work that wait or run.
  WorkPool(std::size_t threads, std::size_t waiting_max);
  ~WorkPool();  // stop()
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  // Runs `work` on one of the threads. False: as much as may wait waits already, or the pool has stopped; it is
  // dropped.
  [[nodiscard]] bool run(std::function<void()> work);

  // Waits for the work that runs, drops the work that waits. A second call does nothing.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace granary::http
