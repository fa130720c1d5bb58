// Calls back at a time: for answers that must not wait for ever. One thread of its own; every function from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace granary::http {

class Deadlines {
 public:
  Deadlines();
  ~Deadlines();  // what has not come due is forgotten
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // Calls `due` on this object's thread once `after_ms` have passed. It must be short.
  void call_after(std::int64_t after_ms, std::function<void()> due);

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::int64_t, std::function<void()>> due_;  // by monotonic milliseconds
  bool stopping_ = false;
  std::thread thread_;
};

// Shared by the process.
Deadlines& deadlines();

}  // namespace granary::http
