// Timers of a loop.
#include "shared/http/loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

namespace granary::http {
namespace {

TEST(Loop, CallsBackInTheOrderOfTimeAndNotBefore) {
  Loop loop;
  std::string called;
  std::promise<void> done;
  const auto began = std::chrono::steady_clock::now();
  loop.call_after(60, [&] { done.set_value(); });
  loop.call_after(30, [&] { called += "b"; });
  loop.call_after(1, [&] {
    called += "a";
    loop.call_after(0, [&] { called += "+"; });
  });
  loop.call_after(30, [&] { called += "c"; });
  done.get_future().wait();
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(59));
  EXPECT_EQ(called, "a+bc");
}

TEST(Loop, ATimerThatGoesAwayIsForgottenAtOnce) {
  Loop loop;
  const auto held = std::make_shared<int>();
  std::atomic<bool> called = false;
  {
    auto timer = loop.set_timer(20, [&called, held] { called = true; });
    auto moved = std::move(timer);
    EXPECT_EQ(held.use_count(), 2);
    moved = loop.set_timer(21, [&called, held] { called = true; });
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  std::promise<void> later;
  loop.call_after(40, [&later] { later.set_value(); });
  later.get_future().wait();
  EXPECT_FALSE(called);
}

TEST(Loop, ManyTimersOfManyThreadsRingOnce) {
  Loop loop;
  std::atomic<int> rung = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        loop.call_after(i % 7, [&rung] { ++rung; });
        auto cancelled = loop.set_timer(i % 5 + 1000, [&rung] { rung += 1'000'000; });
      }
    });
  for (std::thread& thread : threads) thread.join();
  std::promise<void> later;
  loop.call_after(50, [&later] { later.set_value(); });
  later.get_future().wait();
  EXPECT_EQ(rung, 4000);
}

TEST(Loop, CallsNothingAfterStopAndKeepsNothing) {
  const auto held = std::make_shared<int>();
  Loop loop;
  auto timer = loop.set_timer(1, [held] {});
  loop.call_after(60'000, [held] { FAIL(); });
  loop.stop();
  EXPECT_EQ(held.use_count(), 1);
  loop.call_after(0, [held] { FAIL(); });
  timer = loop.set_timer(0, [held] { FAIL(); });
  EXPECT_EQ(held.use_count(), 1);
  loop.stop();
}

}  // namespace
}  // namespace granary::http
