// One thread that calls back at times, and that runs the connections of the asynchronous clients (async_client.h).
//
// Threads: all functions on any thread, stop() and the destructor on any but the loop's own. What a loop calls runs on
// its thread, one after the other, so it must be short and must not wait. Ownership: the owner stops the loop before
// anything goes away that its callbacks use; after stop() none of them runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

namespace granary::http {

struct LoopContext;  // loop_context.h, for this room alone

class Loop {
 public:
  // `thread_name`: at most 15 characters (shared/base/thread.h).
  explicit Loop(const char* thread_name = "loop");
  ~Loop();  // stop()
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // A callback that is due later. It is forgotten if the timer goes away before that; one that runs just then on the
  // loop's thread is not waited for.
  class [[nodiscard]] Timer {
   public:
    Timer() = default;
    Timer(Timer&& other) noexcept;
    Timer& operator=(Timer&& other) noexcept;
    ~Timer() { cancel(); }
    void cancel();

   private:
    friend class Loop;
    std::weak_ptr<LoopContext> context_;
    std::uint64_t due_ms_ = 0;
    std::uint64_t number_ = 0;
  };

  // Calls `due` once `after_ms` have passed. A timer that comes later than one that is set already costs no wake of the
  // loop's thread, neither when it is set nor when it is cancelled.
  Timer set_timer(std::int64_t after_ms, std::function<void()> due);
  // The same without a way to cancel it.
  void call_after(std::int64_t after_ms, std::function<void()> due);

  // Waits for the callback that runs, if any, and destroys all others without calling them; later ones are
  // destroyed at once. A second call does nothing.
  void stop();

  [[nodiscard]] const std::shared_ptr<LoopContext>& context() const { return context_; }

 private:
  std::shared_ptr<LoopContext> context_;
  std::thread thread_;
};

}  // namespace granary::http
