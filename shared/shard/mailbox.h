// Work that other threads hand to one thread.
//
// Threads: post() and wake() from any, take() from the one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace granary::runtime {

class Mailbox {
 public:
  using Job = std::function<void()>;
  void post(Job job);
  // Jobs since the last call. Waits up to `wait_ms` for one or a wake().
  std::vector<Job> take(std::int64_t wait_ms);
  void wake();
  [[nodiscard]] bool holds_jobs() const { return holds_jobs_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Job> jobs_;
  std::atomic<bool> holds_jobs_ = false;
  bool woken_ = false;
};

}  // namespace granary::runtime
