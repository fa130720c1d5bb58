#include "shared/http/deadlines.h"

#include <chrono>

#include "shared/base/clock.h"

namespace granary::http {

Deadlines::Deadlines() : thread_([this] { run(); }) {}

Deadlines::~Deadlines() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Deadlines::call_after(std::int64_t after_ms, std::function<void()> due) {
  {
    const std::lock_guard lock(mutex_);
    due_.emplace(system_clock().monotonic_ms() + after_ms, std::move(due));
  }
  changed_.notify_all();
}

void Deadlines::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (due_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const std::int64_t left = due_.begin()->first - system_clock().monotonic_ms();
    if (left > 0) {
      changed_.wait_for(lock, std::chrono::milliseconds(left));
      continue;
    }
    const auto due = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    lock.unlock();
    due();
    lock.lock();
  }
}

Deadlines& deadlines() {
  static Deadlines shared;
  return shared;
}

}  // namespace granary::http
