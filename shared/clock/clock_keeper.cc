#include "shared/clock/clock_keeper.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "shared/base/probe.h"
#include "shared/events/record.h"
#include "shared/telemetry/log.h"

namespace granary::clock {
namespace {

using units::Instant;

constexpr std::size_t kReadBytes = 4U << 20;  // memory of one batch; a larger one is not read faster

journal::Partition inbox_partition(machine::MachineKind machine, std::uint16_t shard) {
  return {std::string(machine::topic_name(machine::inbox_of(machine))), shard};
}

// The largest tick of records `from` up to `to`, or to the end; 0: none.
Result<Instant> last_tick_from(const journal::Journal& journal, const Id16& ledger, const journal::Partition& partition,
                               std::uint64_t from, std::uint64_t to = ~0ULL) {
  Instant last;
  journal::ReadBatch batch;
  while (true) {
    GRANARY_TRY(journal.read(partition, from, kReadBytes, batch));
    if (batch.records.empty() || from >= to) return last;
    for (const journal::Record& record : batch.records) {
      if (events::whose_is(record.value, ledger) != events::Whose::known ||
          events::kind_of(record.value) != events::RecordKind::tick)
        continue;
      events::Tick tick;
      if (codec::decode(events::body_of(record.value), tick)) last = std::max(last, tick.instant);
    }
    from += batch.records.size();
  }
}

// The same over the last `window` records. The other doors tick too: where this looks too short, a tick stands twice,
// which changes nothing.
Result<Instant> tick_near_end(const journal::Journal& journal, const Id16& ledger, const journal::Partition& partition,
                              std::uint64_t window) {
  const auto end = journal.end(partition);
  if (!end.ok()) return end.error();
  return last_tick_from(journal, ledger, partition, *end > window ? *end - window : 0, *end);
}

// The records at the end of an inbox in which a tick is looked for first; each further look reads more.
constexpr std::uint64_t kTailRecords = 64;

// Every running door puts a tick into every inbox once per grid step unless there is one already, so it is enough to
// watch one inbox. kLooks looks, half a step apart, cover at least one and a half steps.
journal::Partition looked_at() {
  return inbox_partition(machine::MachineKind::intake, 0);
}
constexpr int kLooks = 4;
constexpr const char* kFarAhead = "This machine's clock is far ahead of the ledger's last tick";
constexpr const char* kAheadOfOthers = "This machine's clock is ahead of doors that tick now";
constexpr const char* kBehindOthers = "This machine's clock is behind doors that tick now";

}  // namespace

struct ClockKeeper::Ticks {
  struct Inbox {
    journal::Partition partition;
    bool owned = true;  // folded by this process; else another door's first to tick
    Instant last;       // appended, or about to be
    bool in_flight = false;
  };
  std::mutex mutex;
  std::vector<Inbox> inboxes;
  std::atomic<std::int64_t> newest_ms = 0;
  std::atomic<std::uint64_t> failed = 0;
  telemetry::LineBudget failure_lines{1};
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
  const auto end = journal.end(looked_at());
  if (!end.ok()) return end.error();
  keeper->looked_from_ = *end;
  GRANARY_TRY(keeper->find_last_ticks(runtime));
  GRANARY_TRY(keeper->check_not_behind());
  const Instant last = keeper->last_tick();
  if (options.other_doors == OtherDoors::may_tick && last != Instant() &&
      keeper->now() > last.plus_ms(options.apart_ms_max))
    keeper->compare_with_others();
  else if (last != Instant() && keeper->now() > last.plus_ms(options.ahead_ms_max))
    keeper->wait_for_confirmation(last, kFarAhead);
  else
    GRANARY_TRY(keeper->first_ticks());
  keeper->timer_ = std::make_unique<http::Loop>("clock");
  keeper->schedule(*keeper->timer_);
  return keeper;
}

void ClockKeeper::compare_with_others() {
  state_ = State::comparing;
  telemetry::log(telemetry::Level::info, "clock_compares",
                 "The ledger's last tick is more than a minute old; nothing is taken before it is known whether others "
                 "tick, some seconds",
                 {{"from", units::format_time(last_tick())}, {"to", units::format_time(now())}});
}

void ClockKeeper::look_once_more() {
  const auto theirs = last_tick_from(journal_, ledger_, looked_at(), looked_from_);
  if (!theirs.ok()) {
    GRANARY_PROBE("a clock that is compared finds the log away");
    return;
  }
  const bool alone = *theirs == Instant();
  if (alone && ++looks_ < kLooks) return;
  const Instant last = alone ? last_tick() : *theirs;
  if (now() > last.plus_ms(alone ? options_.ahead_ms_max : options_.apart_ms_max)) {
    if (!alone) GRANARY_PROBE("a clock is ahead of those of others who tick");
    return wait_for_confirmation(last, alone ? kFarAhead : kAheadOfOthers);
  }
  // Who started beside this one may have been first; only a clock that has been set right is confirmed then.
  if (now() < last.plus_ms(-options_.apart_ms_max)) {
    GRANARY_PROBE("a clock is behind those of others who tick");
    return wait_for_confirmation(last, kBehindOthers);
  }
  State expected = State::comparing;
  if (!state_.compare_exchange_strong(expected, State::confirming)) return;
  if (!run_from_now().ok()) state_ = State::comparing;  // the next look tries again
}

void ClockKeeper::wait_for_confirmation(Instant theirs, const char* why) {
  ticks_->newest_ms = std::max(ticks_->newest_ms.load(), theirs.ms());
  state_ = State::waiting;
  telemetry::log(telemetry::Level::warn, "clock_needs_confirmation",
                 std::string(why) +
                     "; nothing is taken before a person looks; hint: if it is right, granary clock confirm; else set "
                     "it and start again",
                 {{"from", units::format_time(theirs)}, {"to", units::format_time(now())}});
}

// In each partition the tick comes before whatever is taken from now on.
Result<void> ClockKeeper::run_from_now() {
  if (const auto appended = append_ticks(Which::all, nullptr); !appended.ok()) return appended.error();
  state_ = State::running;
  return {};
}

Result<void> ClockKeeper::find_last_ticks(const runtime::Runtime& runtime) {
  ledger_ = runtime.ledger().id;
  for (const runtime::ShardStatus& shard : runtime.status()) {
    const auto partition = inbox_partition(shard.machine, shard.shard);
    const auto later = last_tick_from(journal_, ledger_, partition, shard.position);
    if (!later.ok()) return later.error();
    add_inbox(partition, true, std::max(shard.now, *later));
  }
  for (const machine::MachineKind kind : machine::kMachines) {
    for (std::uint16_t number = 0; number < machine::shards_of(kind, runtime.partitions()); ++number) {
      if (!runtime.owner_of({kind, number})) continue;
      const auto partition = inbox_partition(kind, number);
      Instant last;
      for (const std::uint64_t window : {kTailRecords, kTailRecords * 64, ~std::uint64_t{0}}) {
        const auto tick = tick_near_end(journal_, ledger_, partition, window);
        if (!tick.ok()) return tick.error();
        last = *tick;
        if (last != Instant()) break;
      }
      add_inbox(partition, false, last);
    }
  }
  return {};
}

void ClockKeeper::add_inbox(const journal::Partition& partition, bool owned, Instant last) {
  ticks_->inboxes.push_back({partition, owned, last});
  ticks_->newest_ms = std::max(ticks_->newest_ms.load(), last.ms());
}

Result<void> ClockKeeper::check_not_behind() const {
  const Instant last = last_tick();
  if (now() >= last.plus_ms(-options_.apart_ms_max)) return {};
  return Error{ErrorCode::conflict,
               "expected a clock that is at most " + std::to_string(options_.apart_ms_max / units::kSecondMs) +
                   " s behind the log, got " + units::format_time(now()) + " where the log's last tick is " +
                   units::format_time(last) +
                   "; hint: set this machine's clock (NTP); if it is right, the log was ticked by a clock that was "
                   "ahead: wait until that time has come"};
}

// Another door may have ticked what is not this process's.
Result<void> ClockKeeper::look_at_others(Instant grid) {
  for (std::size_t i = 0; i < ticks_->inboxes.size(); ++i) {
    Ticks::Inbox& inbox = ticks_->inboxes[i];
    if (inbox.owned) continue;
    {
      const std::lock_guard lock(ticks_->mutex);
      if (inbox.last >= grid || inbox.in_flight) continue;
    }
    const auto tick = tick_near_end(journal_, ledger_, inbox.partition, kTailRecords);
    if (!tick.ok()) return tick.error();
    const std::lock_guard lock(ticks_->mutex);
    inbox.last = std::max(inbox.last, *tick);
  }
  return {};
}

Result<std::size_t> ClockKeeper::append_ticks(Which which, const TickDone& done) {
  const Instant at = now();
  const Instant grid(at.ms() - at.ms() % options_.tick_ms);
  if (which == Which::all) {
    if (const auto looked = look_at_others(grid); !looked.ok()) {
      GRANARY_PROBE("ticks wait for a log that is away");
      ++ticks_->failed;
      return looked.error();
    }
  }
  std::vector<std::pair<std::size_t, Instant>> due;  // with the tick that stood before
  {
    const std::lock_guard lock(ticks_->mutex);
    for (std::size_t i = 0; i < ticks_->inboxes.size(); ++i) {
      Ticks::Inbox& inbox = ticks_->inboxes[i];
      if (inbox.last >= grid || inbox.in_flight || (which == Which::owned && !inbox.owned)) continue;
      inbox.in_flight = true;  // while a log is away no second one waits behind it: after a gap only the newest
      due.emplace_back(i, std::exchange(inbox.last, grid));
    }
    if (!due.empty()) ticks_->newest_ms = std::max(ticks_->newest_ms.load(), grid.ms());
  }
  for (const auto& one : due) {
    std::vector<journal::Record> records(1);
    records.front().value = events::encode_record(ledger_, events::Tick{grid});
    journal_.append(
        ticks_->inboxes[one.first].partition, std::move(records),
        [ticks = ticks_, index = one.first, before = one.second, grid, done](Result<journal::Offsets> offset) {
          if (!offset.ok()) {
            GRANARY_PROBE("a tick cannot be appended");
            if (const auto left_out = ticks->failure_lines.take())
              telemetry::log(telemetry::Level::warn, "tick_failed", "A tick could not be appended; it is tried again",
                             {{"topic", ticks->inboxes[index].partition.topic},
                              {"partition", ticks->inboxes[index].partition.number},
                              {"cause", offset.error().message},
                              {"left_out", *left_out}});
          }
          {
            const std::lock_guard lock(ticks->mutex);
            Ticks::Inbox& inbox = ticks->inboxes[index];
            inbox.in_flight = false;
            // The same instant may be tried again: a tick that stands twice changes nothing.
            if (!offset.ok() && inbox.last == grid) inbox.last = before;
          }
          if (!offset.ok()) ++ticks->failed;
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
  const auto asked = append_ticks(Which::all, [answers](const Result<journal::Offsets>& offset) {
    const std::lock_guard lock(answers->mutex);
    ++answers->count;
    if (!offset.ok()) answers->error = offset.error();
    answers->changed.notify_all();
  });
  if (!asked.ok()) return asked.error();
  std::unique_lock lock(answers->mutex);
  answers->changed.wait(lock, [&] { return answers->count == *asked; });
  if (answers->error) return *answers->error;
  return {};
}

void ClockKeeper::tick_now() {
  if (state_ == State::comparing) return look_once_more();
  if (!runs()) return;
  // Who folds a shard ticks its inbox; the other doors do where by the middle of the grid nobody has.
  const bool late = now().ms() % options_.tick_ms >= options_.tick_ms / 2;
  (void)append_ticks(late ? Which::all : Which::owned, nullptr);  // the next half grid tries again
}

Result<std::optional<ClockStep>> ClockKeeper::confirm() {
  State expected = State::waiting;
  if (!state_.compare_exchange_strong(expected, State::confirming)) return std::optional<ClockStep>();
  set_clock();
  if (const auto fits = check_not_behind(); !fits.ok()) {
    GRANARY_PROBE("a clock that is confirmed is behind the log");
    state_ = State::waiting;
    return fits.error();
  }
  const ClockStep step{last_tick(), now()};
  if (const auto runs = run_from_now(); !runs.ok()) {
    state_ = State::waiting;
    return runs.error();
  }
  telemetry::log(telemetry::Level::info, "clock_confirmed", "A person confirmed the clock; the ledger's time steps",
                 {{"from", units::format_time(step.from)}, {"to", units::format_time(step.to)}});
  return std::optional(step);
}

void ClockKeeper::schedule(http::Loop& timer) {
  const std::int64_t half = options_.tick_ms / 2;
  const std::int64_t left = half - now().ms() % half;
  timer.call_after(left, [this, &timer] {
    tick_now();
    schedule(timer);
  });
}

}  // namespace granary::clock
