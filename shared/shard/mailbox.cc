#include "shared/shard/mailbox.h"

#include <chrono>
#include <utility>

namespace granary::runtime {

void Mailbox::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    holds_jobs_ = true;
    woken_ = true;
  }
  changed_.notify_one();
}

void Mailbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

std::vector<Mailbox::Job> Mailbox::take(std::int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  if (wait_ms > 0) changed_.wait_for(lock, std::chrono::milliseconds(wait_ms), [this] { return woken_; });
  woken_ = false;
  holds_jobs_ = false;
  return std::exchange(jobs_, {});
}

}  // namespace granary::runtime
