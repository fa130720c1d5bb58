#include "shared/entry/ask_outcomes.h"

#include <memory>
#include <mutex>
#include <utility>

#include "shared/base/probe.h"

namespace granary::entry {
namespace {

// What is known of one request's outcomes. The timer holds it: an owner in another process may die without an answer.
// The runtime forgets the question once `alive_` has gone.
class Asked {
 public:
  Asked(std::size_t groups, std::function<void(Judged)> done)
      : left_(groups), judged_(groups), done_(std::move(done)), alive_(std::make_shared<char>()) {}

  // Before anything is asked.
  void ends_by(http::Loop::Timer timer) { timer_ = std::move(timer); }

  [[nodiscard]] std::weak_ptr<void> alive() const { return alive_; }

  void judged(std::size_t group, std::vector<std::optional<machine::Outcome>> outcomes) {
    std::unique_lock lock(mutex_);
    if (done_ == nullptr) {
      GRANARY_PROBE("outcomes come after the answer has gone");
      return;
    }
    judged_[group] = std::move(outcomes);
    if (--left_ > 0) return;
    timer_.cancel();
    report(lock);
  }

  void time_is_up() {
    std::unique_lock lock(mutex_);
    if (done_ != nullptr) report(lock);
  }

 private:
  void report(std::unique_lock<std::mutex>& lock) {
    const auto done = std::exchange(done_, nullptr);
    Judged judged = std::move(judged_);
    const auto alive = std::move(alive_);
    lock.unlock();
    done(std::move(judged));
  }

  http::Loop::Timer timer_;
  std::mutex mutex_;
  std::size_t left_;
  Judged judged_;
  std::function<void(Judged)> done_;  // nullptr: it was called
  std::shared_ptr<void> alive_;
};

}  // namespace

void ask_outcomes(runtime::Runtime& runtime, http::Loop& loop, const std::vector<EventGroup>& groups,
                  const std::vector<journal::Offsets>& offsets, std::int64_t wait_ms,
                  std::function<void(Judged)> done) {
  const auto asked = std::make_shared<Asked>(groups.size(), std::move(done));
  const std::weak_ptr<void> alive = asked->alive();
  asked->ends_by(loop.set_timer(wait_ms, [asked] { asked->time_is_up(); }));
  for (std::size_t i = 0; i < groups.size(); ++i) {
    runtime.when_judged(
        groups[i].topic, groups[i].partition, offsets[i], alive,
        [asked, i](std::vector<std::optional<machine::Outcome>> outcomes) { asked->judged(i, std::move(outcomes)); });
  }
}

}  // namespace granary::entry
