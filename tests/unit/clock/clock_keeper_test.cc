// The door's clock against the log's: a table of starts, and the ticks of a running one.
#include "shared/clock/clock_keeper.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/door_ledger.h"
#include "tests/support/forwarding_journal.h"

namespace granary::clock {
namespace {

using test::DoorLedger;
using test::kNoonMs;
using units::Instant;
using units::kDayMs;
using units::kMinuteMs;
using Ticks = std::vector<std::int64_t>;

const journal::Partition kApplications{"granary.applications.v1", 0};
const journal::Partition kUsage1{"granary.usage.v1", 1};

TEST(ClockKeeper, JudgesTheWallClockByTheLastTick) {
  enum class Start { runs, waits, refused };
  struct Case {
    const char* name;
    std::int64_t wall_after_tick_ms;
    Start start;
  };
  const std::vector<Case> cases = {
      {"the same instant", 0, Start::runs},
      {"a minute behind", -kMinuteMs, Start::runs},
      {"more than a minute behind", -kMinuteMs - 1, Start::refused},
      {"years behind", -1000 * kDayMs, Start::refused},
      {"an hour ahead", 60 * kMinuteMs, Start::runs},
      {"seven days ahead", 7 * kDayMs, Start::runs},
      {"more than seven days ahead", 7 * kDayMs + 1, Start::waits},
      {"years ahead", 1000 * kDayMs, Start::waits},
  };
  for (const Case& c : cases) {
    // Once folded, and once behind a record that parks its shard, so that only a scan can find it.
    for (const bool is_folded : {true, false}) {
      SCOPED_TRACE(c.name);
      DoorLedger ledger(2);
      if (!is_folded) ledger.append(kUsage1, "\xFF");
      ledger.append_tick(kUsage1, kNoonMs);
      ledger.clock.set_wall(kNoonMs + c.wall_after_tick_ms);
      ledger.start_runtime();
      const auto keeper = ClockKeeper::start(ledger.journal, *ledger.runtime, ledger.clock);
      ASSERT_EQ(keeper.ok(), c.start != Start::refused) << (keeper.ok() ? "" : keeper.error().message);
      if (!keeper.ok()) {
        EXPECT_EQ(keeper.error().code, ErrorCode::conflict);
        for (const std::int64_t at : {kNoonMs, kNoonMs + c.wall_after_tick_ms})
          EXPECT_NE(keeper.error().message.find(units::format_time(Instant(at))), std::string::npos)
              << keeper.error().message;
        EXPECT_NE(keeper.error().message.find("hint: "), std::string::npos);
        EXPECT_TRUE(ledger.ticks(kApplications).empty());
        continue;
      }
      EXPECT_EQ((*keeper)->needs_confirmation(), c.start == Start::waits);
      EXPECT_EQ(ledger.ticks(kApplications).empty(), c.start == Start::waits);
    }
  }
}

TEST(ClockKeeper, TicksEveryInboxBeforeTheDoorOpens) {
  DoorLedger ledger(3, kNoonMs + 4'321);
  ledger.start();
  EXPECT_FALSE(ledger.keeper->needs_confirmation());
  for (const journal::Partition& inbox : ledger.inboxes())
    EXPECT_EQ(ledger.ticks(inbox), Ticks{kNoonMs}) << inbox.topic;
  EXPECT_EQ(ledger.inboxes().size(), 10U);
  EXPECT_EQ(ledger.keeper->last_tick(), Instant(kNoonMs));
}

TEST(ClockKeeper, TicksOnceForEachInstantAndOnlyTheNewestAfterAGap) {
  DoorLedger ledger(1);
  ledger.start();
  ledger.keeper->tick_now();
  ledger.clock.pass(9'999);
  ledger.keeper->tick_now();
  EXPECT_EQ(ledger.ticks(kApplications), Ticks{kNoonMs});
  ledger.clock.pass(1);
  ledger.keeper->tick_now();
  ledger.keeper->tick_now();
  ledger.clock.pass(95'000);
  for (const journal::Partition& inbox : ledger.inboxes()) {
    // None is appended while the one before it is unanswered, and another thread may be about to answer it.
    do ledger.keeper->tick_now();
    while (ledger.ticks(inbox).back() < kNoonMs + 100'000);
    EXPECT_EQ(ledger.ticks(inbox), (Ticks{kNoonMs, kNoonMs + 10'000, kNoonMs + 100'000})) << inbox.topic;
  }
}

TEST(ClockKeeper, TicksByItself) {
  DoorLedger ledger(1);
  ledger.start_runtime();
  ClockOptions options;
  options.tick_ms = 5;
  const auto keeper = ClockKeeper::start(ledger.journal, *ledger.runtime, ledger.clock, options);
  ASSERT_TRUE(keeper.ok());
  ledger.clock.pass(5);
  // The timer's thread does it; one that does not runs into the test's time limit.
  while (ledger.ticks(kApplications).size() < 2) std::this_thread::yield();
  EXPECT_EQ(ledger.ticks(kApplications), (Ticks{kNoonMs, kNoonMs + 5}));
}

TEST(ClockKeeper, TicksOnlyWhereNoneStands) {
  DoorLedger ledger(2);
  ledger.append_tick(kUsage1, kNoonMs);
  ledger.append_tick(kApplications, kNoonMs + 30'000);
  ledger.start();
  EXPECT_EQ(ledger.ticks(kUsage1), Ticks{kNoonMs});
  EXPECT_EQ(ledger.ticks(kApplications), Ticks{kNoonMs + 30'000});
  EXPECT_EQ(ledger.ticks({"granary.ledger.v1", 0}), Ticks{kNoonMs});
  EXPECT_EQ(ledger.keeper->last_tick(), Instant(kNoonMs + 30'000));
}

TEST(ClockKeeper, RunsOnWhateverTheWallClockDoes) {
  DoorLedger ledger(1);
  ledger.start();
  ledger.clock.set_wall(kNoonMs + 30 * kDayMs);
  EXPECT_EQ(ledger.keeper->now(), Instant(kNoonMs));
  ledger.clock.set_wall(kNoonMs - 30 * kDayMs);
  ledger.clock.pass(15'000);
  EXPECT_EQ(ledger.keeper->now(), Instant(kNoonMs + 15'000));
  ledger.keeper->tick_now();
  EXPECT_EQ(ledger.ticks(kApplications), (Ticks{kNoonMs, kNoonMs + 10'000}));
}

TEST(ClockKeeper, TriesATickAgainThatFailed) {
  DoorLedger ledger(1);
  ledger.start();
  ledger.clock.pass(10'000);
  ledger.journal.fail_next_append(kApplications, journal::MemoryJournal::Fault::before_write,
                                  Error{ErrorCode::unavailable, "ordered"});
  ledger.keeper->tick_now();
  // Answers may come on a thread that is calling back already.
  while (ledger.keeper->failed_ticks() == 0) std::this_thread::yield();
  EXPECT_EQ(ledger.ticks(kApplications), Ticks{kNoonMs});
  ledger.keeper->tick_now();
  for (const journal::Partition& inbox : ledger.inboxes())
    EXPECT_EQ(ledger.ticks(inbox), (Ticks{kNoonMs, kNoonMs + 10'000})) << inbox.topic;
}

TEST(ClockKeeper, DoesNotStartWithoutItsFirstTicks) {
  DoorLedger ledger(1);
  ledger.start_runtime();
  ledger.journal.fail_next_append(kApplications, journal::MemoryJournal::Fault::before_write,
                                  Error{ErrorCode::out_of_space, "ordered"});
  const auto keeper = ClockKeeper::start(ledger.journal, *ledger.runtime, ledger.clock);
  ASSERT_FALSE(keeper.ok());
  EXPECT_EQ(keeper.error().code, ErrorCode::out_of_space);
}

TEST(ClockKeeper, WaitsForAPersonAndTellsWhatWasSteppedOver) {
  DoorLedger ledger(2, kNoonMs + 400 * kDayMs);
  ledger.append_tick(kUsage1, kNoonMs);
  ledger.start();
  ASSERT_TRUE(ledger.keeper->needs_confirmation());
  const auto pending = ledger.keeper->pending_step();
  ASSERT_TRUE(pending);
  EXPECT_EQ(pending->from, Instant(kNoonMs));
  EXPECT_EQ(pending->to, Instant(kNoonMs + 400 * kDayMs));
  ledger.clock.pass(60'000);
  ledger.keeper->tick_now();
  EXPECT_TRUE(ledger.ticks(kApplications).empty());

  const auto step = ledger.keeper->confirm();
  ASSERT_TRUE(step.ok());
  ASSERT_TRUE(*step);
  EXPECT_EQ((*step)->from, Instant(kNoonMs));
  EXPECT_EQ((*step)->to, Instant(kNoonMs + 400 * kDayMs + 60'000));
  EXPECT_FALSE(ledger.keeper->needs_confirmation());
  EXPECT_FALSE(ledger.keeper->pending_step());
  EXPECT_EQ(ledger.ticks(kApplications), Ticks{kNoonMs + 400 * kDayMs + 60'000});
  EXPECT_EQ(ledger.ticks(kUsage1), (Ticks{kNoonMs, kNoonMs + 400 * kDayMs + 60'000}));
  const auto again = ledger.keeper->confirm();
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(*again);
}

// Who starts on a log of several, and what others tick before each of its looks at them (0: nothing).
TEST(ClockKeeper, ComparesItselfWithDoorsThatTickBeforeItRuns) {
  enum class End { runs, waits, behind };
  struct Case {
    const char* name;
    std::int64_t ahead_ms;                // of the last tick, at the start
    std::vector<std::int64_t> others_ms;  // after the last tick
    End end;
  };
  const std::vector<Case> cases = {
      {"a minute ahead: at once", kMinuteMs, {}, End::runs},
      {"ahead of a ledger that stands still", kMinuteMs + 1, {0, 0, 0, 0}, End::runs},
      {"a day ahead of one", kDayMs, {0, 0, 0, 0}, End::runs},
      {"more than seven days ahead of one", 7 * kDayMs + 1, {0, 0, 0, 0}, End::waits},
      {"an hour ahead of doors that tick", 60 * kMinuteMs, {10'000}, End::waits},
      {"and whose tick comes late", 60 * kMinuteMs, {0, 0, 0, 10'000}, End::waits},
      {"a minute ahead of doors that tick", 80'000, {0, 20'000}, End::runs},
      {"and a little more", 80'001, {0, 20'000}, End::waits},
      {"beside doors that started now", 60 * kMinuteMs, {60 * kMinuteMs}, End::runs},
      {"a minute behind these", 60 * kMinuteMs, {61 * kMinuteMs}, End::runs},
      {"and a little more behind", 60 * kMinuteMs, {61 * kMinuteMs + 1}, End::behind},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    DoorLedger ledger(2, kNoonMs + c.ahead_ms);
    ledger.append_tick(kUsage1, kNoonMs);
    ledger.append_tick(kApplications, kNoonMs);
    ledger.start_runtime();
    ClockOptions options;
    options.other_doors = OtherDoors::may_tick;
    const auto started = ClockKeeper::start(ledger.journal, *ledger.runtime, ledger.clock, options);
    ASSERT_TRUE(started.ok());
    ClockKeeper& keeper = **started;
    std::size_t standing = ledger.ticks(kUsage1).size();
    for (const std::int64_t other : c.others_ms) {
      EXPECT_FALSE(keeper.runs());
      EXPECT_FALSE(keeper.needs_confirmation());
      EXPECT_FALSE(keeper.pending_step());
      EXPECT_EQ(standing, 1U) << "nothing is appended before it is known";
      if (other > 0) ledger.append_tick(kApplications, kNoonMs + other);
      keeper.tick_now();
      standing = ledger.ticks(kUsage1).size();
    }
    EXPECT_EQ(keeper.runs(), c.end == End::runs);
    EXPECT_EQ(keeper.needs_confirmation(), c.end != End::runs);
    EXPECT_EQ(standing, c.end == End::runs ? 2U : 1U);
    if (c.end == End::runs) continue;
    const auto step = keeper.confirm();
    if (c.end == End::behind) {
      ASSERT_FALSE(step.ok());
      EXPECT_TRUE(keeper.needs_confirmation());
      continue;
    }
    ASSERT_TRUE(step.ok() && *step);
    EXPECT_EQ((*step)->from, Instant(kNoonMs + c.others_ms.back()));
    EXPECT_EQ((*step)->to, Instant(kNoonMs + c.ahead_ms));
    EXPECT_TRUE(keeper.runs());
    EXPECT_EQ(ledger.ticks(kUsage1).size(), 2U);
  }
}

// A log that can be read only while its server answers.
class AwayJournal final : public testing_support::ForwardingJournal {
 public:
  using ForwardingJournal::ForwardingJournal;
  Result<void> read(const journal::Partition& partition, journal::Offset from, std::size_t bytes_max,
                    journal::ReadBatch& batch) const override {
    if (away) return Error{ErrorCode::unavailable, "ordered by the test"};
    return ForwardingJournal::read(partition, from, bytes_max, batch);
  }
  bool away = false;
};

TEST(ClockKeeper, ALookAtOthersThatFailsDoesNotCount) {
  DoorLedger ledger(1, kNoonMs + 2 * kMinuteMs);
  ledger.append_tick(kApplications, kNoonMs);
  ledger.start_runtime();
  AwayJournal door(ledger.journal);
  ClockOptions options;
  options.other_doors = OtherDoors::may_tick;
  const auto started = ClockKeeper::start(door, *ledger.runtime, ledger.clock, options);
  ASSERT_TRUE(started.ok());
  ClockKeeper& keeper = **started;
  door.away = true;
  for (int look = 0; look < 10; ++look) keeper.tick_now();
  EXPECT_FALSE(keeper.runs()) << "it has seen nothing of the others";
  EXPECT_FALSE(keeper.needs_confirmation());
  door.away = false;
  for (int look = 0; look < 4; ++look) {
    EXPECT_FALSE(keeper.runs()) << look;
    keeper.tick_now();
  }
  EXPECT_TRUE(keeper.runs()) << "nobody else ticks";
}

// A log that goes away when an inbox of another process's shard is looked at for the second time.
class SoonAwayJournal final : public testing_support::ForwardingJournal {
 public:
  using ForwardingJournal::ForwardingJournal;
  Result<journal::Offset> end(const journal::Partition& partition) const override {
    if (partition == kUsage1 && looks_left-- <= 0) return Error{ErrorCode::unavailable, "ordered by the test"};
    return ForwardingJournal::end(partition);
  }
  mutable int looks_left = 1 << 20;
};

// The runtime of a process that owns all shards but one of metering's.
void own_all_but_usage_1(DoorLedger& ledger) {
  ledger.options.owned.emplace();
  for (const machine::MachineKind kind : machine::kMachines)
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, 2); ++shard)
      if (kind != machine::MachineKind::metering || shard != 1) ledger.options.owned->insert({kind, shard});
}

TEST(ClockKeeper, AStartThatCannotLookAtAnotherProcesssInboxFails) {
  DoorLedger ledger(2, kNoonMs + kMinuteMs);
  ledger.append_tick(kUsage1, kNoonMs);
  own_all_but_usage_1(ledger);
  ledger.start_runtime();
  SoonAwayJournal door(ledger.journal);
  door.looks_left = 1;
  const auto started = ClockKeeper::start(door, *ledger.runtime, ledger.clock);
  ASSERT_FALSE(started.ok()) << "no tick was appended";
  EXPECT_EQ(started.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(ledger.ticks(kApplications).empty());
}

TEST(ClockKeeper, AConfirmationThatCannotTickWaitsOn) {
  DoorLedger ledger(2, kNoonMs + 400 * kDayMs);
  ledger.append_tick(kUsage1, kNoonMs);
  own_all_but_usage_1(ledger);
  ledger.start_runtime();
  SoonAwayJournal door(ledger.journal);
  const auto started = ClockKeeper::start(door, *ledger.runtime, ledger.clock);
  ASSERT_TRUE(started.ok());
  ClockKeeper& keeper = **started;
  ASSERT_TRUE(keeper.needs_confirmation());
  door.looks_left = 0;
  const auto confirmed = keeper.confirm();
  ASSERT_FALSE(confirmed.ok());
  EXPECT_EQ(confirmed.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(keeper.needs_confirmation());
  door.looks_left = 1 << 20;
  ASSERT_TRUE(keeper.confirm().ok());
  EXPECT_TRUE(keeper.runs());
  for (const journal::Partition& inbox : ledger.inboxes())
    EXPECT_EQ(ledger.ticks(inbox).back(), kNoonMs + 400 * kDayMs) << inbox.topic;
}

TEST(ClockKeeper, ReadsTheWallClockAgainWhenItIsConfirmed) {
  DoorLedger ledger(1, kNoonMs + 400 * kDayMs);
  ledger.append_tick(kApplications, kNoonMs);
  ledger.start();
  ledger.clock.set_wall(kNoonMs - 2 * kMinuteMs);
  const auto behind = ledger.keeper->confirm();
  ASSERT_FALSE(behind.ok());
  EXPECT_EQ(behind.error().code, ErrorCode::conflict);
  EXPECT_TRUE(ledger.keeper->needs_confirmation());
  ledger.clock.set_wall(kNoonMs + 20'000);
  ASSERT_TRUE(ledger.keeper->confirm().ok());
  EXPECT_EQ(ledger.keeper->now(), Instant(kNoonMs + 20'000));
  EXPECT_EQ(ledger.ticks(kApplications), (Ticks{kNoonMs, kNoonMs + 20'000}));
}

}  // namespace
}  // namespace granary::clock
