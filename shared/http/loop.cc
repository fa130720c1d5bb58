#include "shared/http/loop.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <chrono>
#include <future>
#include <string>
#include <tuple>
#include <utility>

#include "shared/base/check.h"
#include "shared/base/clock.h"
#include "shared/base/thread.h"
#include "shared/http/loop_context.h"

namespace granary::http {

namespace asio = boost::asio;

namespace {

std::uint64_t now_ms() {
  return static_cast<std::uint64_t>(system_clock().monotonic_ms());
}

}  // namespace

bool LoopContext::post(std::function<void()> task) {
  const std::lock_guard lock(mutex);
  if (stopped) return false;
  asio::post(io, std::move(task));
  return true;
}

void LoopContext::run_and_wait(const std::function<void()>& task) {
  GRANARY_CHECK(!io.get_executor().running_in_this_thread(), "the loop's own thread cannot wait for the loop");
  std::promise<void> done;
  const bool posted = post([&] {
    task();
    done.set_value();
  });
  posted ? done.get_future().wait() : task();
}

LoopContext::Due LoopContext::add(std::int64_t after_ms, std::function<void()> due) {
  const std::lock_guard lock(mutex);
  if (stopped) return {0, 0};
  const Due timer{now_ms() + static_cast<std::uint64_t>(std::max<std::int64_t>(after_ms, 0)), ++last_number};
  timers.emplace(timer, std::move(due));
  if (timer.first < armed_for_ms) {
    armed_for_ms = timer.first;
    asio::post(io, [this] { arm(); });
  }
  return timer;
}

void LoopContext::forget(const Due& timer) {
  std::function<void()> forgotten;  // destroyed without the lock
  const std::lock_guard lock(mutex);
  const auto found = timers.find(timer);
  if (found == timers.end()) return;
  forgotten = std::move(found->second);
  timers.erase(found);
}

void LoopContext::arm() {
  {
    const std::lock_guard lock(mutex);
    armed_for_ms = timers.empty() ? kNever : timers.begin()->first.first;
    if (armed_for_ms == kNever) return;
    const std::uint64_t now = now_ms();
    wake.expires_after(std::chrono::milliseconds(armed_for_ms > now ? armed_for_ms - now : 0));
  }
  wake.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) ring();
  });
}

void LoopContext::ring() {
  const std::uint64_t now = now_ms();
  while (true) {
    std::function<void()> due;
    {
      const std::lock_guard lock(mutex);
      if (timers.empty() || timers.begin()->first.first > now) break;
      due = std::move(timers.begin()->second);
      timers.erase(timers.begin());
    }
    due();
  }
  arm();
}

Loop::Loop(const char* thread_name) : context_(std::make_shared<LoopContext>()) {
  thread_ = std::thread([&context = *context_, name = std::string(thread_name)] {
    enter_thread(name.c_str(), Urgency::prompt);
    const auto work = asio::make_work_guard(context.io);
    context.io.run();
  });
}

Loop::~Loop() {
  stop();
}

void Loop::stop() {
  GRANARY_CHECK(thread_.get_id() != std::this_thread::get_id(), "the loop's own thread cannot stop the loop");
  std::map<LoopContext::Due, std::function<void()>> forgotten;
  {
    const std::lock_guard lock(context_->mutex);
    if (std::exchange(context_->stopped, true)) return;
    context_->timers.swap(forgotten);
    // After what was posted before.
    asio::post(context_->io, [&io = context_->io] { io.stop(); });
  }
  thread_.join();
}

Loop::Timer Loop::set_timer(std::int64_t after_ms, std::function<void()> due) {
  Timer timer;
  std::tie(timer.due_ms_, timer.number_) = context_->add(after_ms, std::move(due));
  timer.context_ = context_;
  return timer;
}

void Loop::call_after(std::int64_t after_ms, std::function<void()> due) {
  context_->add(after_ms, std::move(due));
}

Loop::Timer::Timer(Timer&& other) noexcept
    : context_(std::move(other.context_)), due_ms_(other.due_ms_), number_(std::exchange(other.number_, 0)) {}

Loop::Timer& Loop::Timer::operator=(Timer&& other) noexcept {
  if (this == &other) return *this;
  cancel();
  context_ = std::move(other.context_);
  due_ms_ = other.due_ms_;
  number_ = std::exchange(other.number_, 0);
  return *this;
}

void Loop::Timer::cancel() {
  const std::uint64_t number = std::exchange(number_, 0);
  if (number == 0) return;
  if (const auto context = context_.lock()) context->forget({due_ms_, number});
}

}  // namespace granary::http
