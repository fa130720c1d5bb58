#include "shared/door/clock_keeper.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "shared/events/record.h"

namespace granary::door {
namespace {

using units::Instant;

constexpr std::size_t kReadBytes = 4U << 20;

journal::Partition inbox_partition(machine::MachineKind machine, std::uint16_t shard) {
  return {std::string(machine::topic_name(machine::inbox_of(machine))), shard};
}

// The largest tick from record `from` on; 0: none.
Result<Instant> last_tick_from(const journal::Journal& journal, const journal::Partition& partition,
                               std::uint64_t from) {
  Instant last;
  journal::ReadBatch batch;
  while (true) {
    GRANARY_TRY(journal.read(partition, from, kReadBytes, batch));
    if (batch.records.empty()) return last;
    for (const journal::Record& record : batch.records) {
      if (events::kind_of(record.value) != events::RecordKind::tick) continue;
      events::Tick tick;
      if (events::wire::decode(events::body_of(record.value), tick)) last = std::max(last, tick.instant);
    }
    from += batch.records.size();
  }
}

}  // namespace

struct ClockKeeper::Ticks {
  struct Inbox {
    journal::Partition partition;
    Instant last;  // appended, or about to be
  };
  std::mutex mutex;
  std::vector<Inbox> inboxes;
  std::atomic<std::int64_t> newest_ms = 0;
  std::atomic<std::uint64_t> failed = 0;
};

ClockKeeper::ClockKeeper(journal::Journal& journal, const Clock& clock, ClockOptions options)
    : journal_(journal), clock_(clock), options_(options), ticks_(std::make_shared<Ticks>()) {}

ClockKeeper::~ClockKeeper() {
  stop();
}

void ClockKeeper::stop() {
  timer_.reset();
}

Instant ClockKeeper::now() const {
  return Instant(anchor_ms_ + clock_.monotonic_ms());
}

Instant ClockKeeper::last_tick() const {
  return Instant(ticks_->newest_ms);
}

std::uint64_t ClockKeeper::failed_ticks() const {
  return ticks_->failed;
}

std::optional<ClockStep> ClockKeeper::pending_step() const {
  if (!needs_confirmation()) return std::nullopt;
  return ClockStep{last_tick(), now()};
}

Result<std::unique_ptr<ClockKeeper>> ClockKeeper::start(journal::Journal& journal, const runtime::Runtime& runtime,
                                                        const Clock& clock, ClockOptions options) {
  std::unique_ptr<ClockKeeper> keeper(new ClockKeeper(journal, clock, options));
  keeper->set_clock();
  GRANARY_TRY(keeper->find_last_ticks(runtime));
  GRANARY_TRY(keeper->check_not_behind());
  const Instant last = keeper->last_tick();
  if (last != Instant() && keeper->now() > last.plus_ms(options.ahead_ms_max))
    keeper->state_ = State::waiting;
  else
    GRANARY_TRY(keeper->first_ticks());
  keeper->timer_ = std::make_unique<Deadlines>();
  keeper->schedule(*keeper->timer_);
  return keeper;
}

Result<void> ClockKeeper::find_last_ticks(const runtime::Runtime& runtime) {
  for (const runtime::ShardStatus& shard : runtime.status()) {
    const auto partition = inbox_partition(shard.machine, shard.shard);
    const auto later = last_tick_from(journal_, partition, shard.position);
    if (!later.ok()) return later.error();
    const Instant last = std::max(shard.now, *later);
    ticks_->inboxes.push_back({partition, last});
    ticks_->newest_ms = std::max(ticks_->newest_ms.load(), last.ms());
  }
  return {};
}

Result<void> ClockKeeper::check_not_behind() const {
  const Instant last = last_tick();
  if (now() >= last.plus_ms(-options_.behind_ms_max)) return {};
  return Error{ErrorCode::conflict,
               "expected a clock that is at most " + std::to_string(options_.behind_ms_max / units::kSecondMs) +
                   " s behind the log, got " + units::format_time(now()) + " where the log's last tick is " +
                   units::format_time(last) +
                   "; hint: set this machine's clock (NTP); if it is right, the log was ticked by a clock that was "
                   "ahead: wait until that time has come"};
}

std::size_t ClockKeeper::append_ticks(const TickDone& done) {
  const Instant at = now();
  const Instant grid(at.ms() - at.ms() % options_.tick_ms);
  std::vector<std::pair<std::size_t, Instant>> due;  // with the tick that stood before
  {
    const std::lock_guard lock(ticks_->mutex);
    for (std::size_t i = 0; i < ticks_->inboxes.size(); ++i) {
      Instant& last = ticks_->inboxes[i].last;
      if (last < grid) due.emplace_back(i, std::exchange(last, grid));
    }
    if (!due.empty()) ticks_->newest_ms = std::max(ticks_->newest_ms.load(), grid.ms());
  }
  for (const auto& one : due) {
    std::vector<journal::Record> records(1);
    records.front().value = events::encode_record(events::Tick{grid});
    journal_.append(
        ticks_->inboxes[one.first].partition, std::move(records),
        [ticks = ticks_, index = one.first, before = one.second, grid, done](Result<journal::Offset> offset) {
          if (!offset.ok()) {
            // The same instant may be tried again: a tick that stands twice changes nothing.
            const std::lock_guard lock(ticks->mutex);
            Instant& last = ticks->inboxes[index].last;
            if (last == grid) last = before;
            ++ticks->failed;
          }
          if (done) done(offset);
        });
  }
  return due.size();
}

Result<void> ClockKeeper::first_ticks() {
  struct Answers {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t count = 0;
    std::optional<Error> error;
  };
  const auto answers = std::make_shared<Answers>();
  const std::size_t asked = append_ticks([answers](const Result<journal::Offset>& offset) {
    const std::lock_guard lock(answers->mutex);
    ++answers->count;
    if (!offset.ok()) answers->error = offset.error();
    answers->changed.notify_all();
  });
  std::unique_lock lock(answers->mutex);
  answers->changed.wait(lock, [&] { return answers->count == asked; });
  if (answers->error) return *answers->error;
  return {};
}

void ClockKeeper::tick_now() {
  if (state_ == State::running) append_ticks(nullptr);
}

Result<std::optional<ClockStep>> ClockKeeper::confirm() {
  State expected = State::waiting;
  if (!state_.compare_exchange_strong(expected, State::confirming)) return std::optional<ClockStep>();
  set_clock();
  if (const auto fits = check_not_behind(); !fits.ok()) {
    state_ = State::waiting;
    return fits.error();
  }
  const ClockStep step{last_tick(), now()};
  // In each partition the tick stands before whatever is taken from now on.
  append_ticks(nullptr);
  state_ = State::running;
  return std::optional(step);
}

void ClockKeeper::schedule(Deadlines& timer) {
  const std::int64_t left = options_.tick_ms - now().ms() % options_.tick_ms;
  timer.call_after(left, [this, &timer] {
    tick_now();
    schedule(timer);
  });
}

}  // namespace granary::door
