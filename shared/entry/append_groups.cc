#include "shared/entry/append_groups.h"

#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include "shared/base/probe.h"
#include "shared/units/instant.h"

namespace granary::entry {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using telemetry::Level;

// The appends of one request. append() runs on the thread that starts them, answered() on the journal's, give_up() on
// the loop's; the mutex guards what all three touch.
class Appends : public std::enable_shared_from_this<Appends> {
 public:
  Appends(DoorState::Use use, std::shared_ptr<DoorState> state, std::function<void(AppendReport)> done)
      : use_(std::move(use)), state_(std::move(state)), done_(std::move(done)) {}

  void append(journal::Journal& journal, http::Loop& loop, std::vector<EventGroup>& groups, std::int64_t wait_ms_max) {
    // The last answer may come within the loop: `groups` is the owner's again after that.
    const std::size_t all = groups.size();
    left_ = all;
    report_.offsets.resize(all);
    state_->count([all](EventDoorCounters& counters) { counters.appends_in_flight += all; });
    timer_ = loop.set_timer(wait_ms_max, [weak = weak_from_this(), wait_ms_max] {
      if (const auto self = weak.lock()) self->give_up(wait_ms_max);
    });
    for (std::size_t i = 0; i < all; ++i) {
      EventGroup& group = groups[i];
      const Origin origin{i, group.topic, group.partition, group.rows.size(), std::chrono::steady_clock::now()};
      journal.append({std::string(machine::topic_name(group.topic)), group.partition}, std::move(group.records),
                     [self = shared_from_this(), origin](const Result<journal::Offsets>& offsets) {
                       self->answered(origin, offsets);
                     });
    }
  }

 private:
  // What was handed to the journal, and when.
  struct Origin {
    std::size_t group = 0;
    machine::Topic topic{};
    std::uint16_t partition = 0;
    std::size_t events = 0;
    SteadyTime handed_over;
  };

  void answered(const Origin& origin, const Result<journal::Offsets>& offsets) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - origin.handed_over).count();
    state_->count([&](EventDoorCounters& counters) {
      --counters.appends_in_flight;
      counters.append_seconds.observe(seconds);
      (offsets.ok() ? counters.accepted : counters.failed) += origin.events;
    });
    if (!offsets.ok()) log_failure(origin, offsets.error());
    std::unique_lock lock(mutex_);
    if (offsets.ok()) some_are_stored_ = true;
    if (!offsets.ok()) some_have_failed_ = true;
    if (done_ != nullptr && offsets.ok()) report_.offsets[origin.group] = *offsets;
    if (!offsets.ok() && (!report_.failure || offsets.error().code == ErrorCode::out_of_space))
      report_.failure = offsets.error();
    if (--left_ > 0) return;
    if (some_have_failed_ && some_are_stored_)
      GRANARY_PROBE("an append of a request fails after another one was written");
    if (done_ == nullptr) GRANARY_PROBE("the log answers a request after its sender was told that it does not");
    report(lock);
  }

  // The appends go on and hold the door open; their answers are counted and nothing else.
  void give_up(std::int64_t waited_ms) {
    std::unique_lock lock(mutex_);
    if (left_ == 0) return;
    GRANARY_PROBE("the log does not answer a request in time");
    if (!report_.failure)
      report_.failure =
          Error{ErrorCode::unavailable, fmt::format("expected the log to make the events durable within {} s, but it "
                                                    "has not answered yet: they may be stored later",
                                                    waited_ms / units::kSecondMs)};
    report(lock);
  }

  void report(std::unique_lock<std::mutex>& lock) {
    const auto done = std::exchange(done_, nullptr);
    AppendReport report = std::exchange(report_, {});
    lock.unlock();
    if (done != nullptr) done(std::move(report));
  }

  void log_failure(const Origin& origin, const Error& error) {
    const auto left_out = state_->failure_lines.take();
    if (!left_out) return;
    telemetry::log(error.can_retry() ? Level::warn : Level::error, "append_failed",
                   "Events could not be appended; their sender was told",
                   {{"topic", machine::topic_name(origin.topic)},
                    {"partition", origin.partition},
                    {"cause", error.message},
                    {"left_out", *left_out}});
  }

  const DoorState::Use use_;
  const std::shared_ptr<DoorState> state_;
  http::Loop::Timer timer_;
  std::mutex mutex_;
  std::size_t left_ = 0;
  bool some_are_stored_ = false, some_have_failed_ = false;
  AppendReport report_;
  std::function<void(AppendReport)> done_;  // nullptr: it was called
};

}  // namespace

void append_groups(journal::Journal& journal, http::Loop& loop, std::vector<EventGroup>& groups,
                   std::int64_t wait_ms_max, DoorState::Use use, std::shared_ptr<DoorState> state,
                   std::function<void(AppendReport)> done) {
  std::make_shared<Appends>(std::move(use), std::move(state), std::move(done))
      ->append(journal, loop, groups, wait_ms_max);
}

}  // namespace granary::entry
