// The inside of a Loop, for the files of this room that run on its thread. Threads and ownership as loop.h.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

namespace granary::http {

struct LoopContext : std::enable_shared_from_this<LoopContext> {
  // When a timer is due, and a number that tells apart those of one millisecond.
  using Due = std::pair<std::uint64_t, std::uint64_t>;

  // Runs `task` on the loop's thread, after what was posted before. False: the loop has stopped, the task is dropped.
  bool post(std::function<void()> task);

  // Runs `task` on the loop's thread and waits for its end; on the caller's if the loop has stopped.
  void run_and_wait(const std::function<void()>& task);

  Due add(std::int64_t after_ms, std::function<void()> due);
  void forget(const Due& timer);
  // Lets `wake` ring when the earliest timer is due. On the loop's thread.
  void arm();
  // Calls what is due. On the loop's thread.
  void ring();

  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  boost::asio::io_context io{1};
  boost::asio::steady_timer wake{io};
  std::mutex mutex;  // guards what follows
  bool stopped = false;
  std::uint64_t last_number = 0;
  std::uint64_t armed_for_ms = kNever;  // when `wake` rings at the latest
  std::map<Due, std::function<void()>> timers;
};

}  // namespace granary::http
