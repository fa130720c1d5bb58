// What the runtime makes of failures and losses: appends that fail before or after the write, targets that keep it
// waiting, state that is gone or behind, a log that is not what was folded, a build that disagrees.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "shared/fold/fold.h"
#include "shared/runtime/replay.h"
#include "tests/support/forwarding_journal.h"
#include "tests/support/log_lines.h"
#include "tests/support/toy_ledger.h"

namespace granary::test {
namespace {

using journal::MemoryJournal;
using machine::MachineKind;
using machine::Topic;
using Fault = MemoryJournal::Fault;

const Error kUnavailable{ErrorCode::unavailable, "not now"};

std::string project(int n) {
  return "p-" + std::string(1, static_cast<char>('a' + n % 7));
}

void use(ToyLedger& ledger, int from, int to) {
  for (int n = from; n < to; ++n) {
    ledger.usage("u" + std::to_string(n), project(n), n);
    if (n % 10 == 0) ledger.usage("x" + std::to_string(n), "nobody", n);
  }
}

std::vector<journal::Partition> targets() {
  std::vector<journal::Partition> all;
  for (const Topic topic : machine::kTopics)
    for (std::uint16_t p = 0; p < machine::partitions_of(topic, 2); ++p)
      if (topic != Topic::applications && topic != Topic::usage) all.push_back(ToyLedger::partition(topic, p));
  return all;
}

std::map<journal::Partition, std::uint64_t> ends(const ToyLedger& ledger) {
  std::map<journal::Partition, std::uint64_t> all;
  for (const auto& target : targets()) all[target] = *ledger.journal.end(target);
  return all;
}

class FailedAppend : public ::testing::TestWithParam<Fault> {};

TEST_P(FailedAppend, LosesNothingAndDoublesNothing) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  for (int round = 0; round < 3; ++round) {
    for (const auto& target : targets())
      for (int times = 0; times <= round; ++times) ledger.journal.fail_next_append(target, GetParam(), kUnavailable);
    use(ledger, 100 * round, 100 * (round + 1));
    ASSERT_TRUE(ledger.settle());
    ledger.check();
  }
  for (const Shard& shard : ledger.shards()) {
    EXPECT_EQ(ledger.status(shard).lane_alarms, 0U);
    EXPECT_EQ(ledger.status(shard).repeats_dropped, 0U) << "what stands is looked at before it is sent again";
  }
  EXPECT_EQ(ledger.fatal_calls(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Where, FailedAppend, ::testing::Values(Fault::before_write, Fault::after_write),
                         [](const auto& param) {
                           return param.param == Fault::before_write ? "BeforeWrite" : "AfterWrite";
                         });

// Two appends of a lane under way: the first fails, the second stands, and an outward stream has a hole for ever.
TEST(Recovery, AFailedAppendLeavesNoHoleInAnOutwardStream) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  for (std::uint16_t p = 0; p < 2; ++p) ledger.journal.delay(ToyLedger::partition(Topic::billing, p));
  for (int n = 0; n < 10; ++n) {
    use(ledger, 10 * n, 10 * n + 10);
    const auto alive = std::make_shared<int>();
    for (const Shard& shard : ledger.shards()) {
      if (shard.first == MachineKind::billing) continue;
      while (ledger.status(shard).outbox_bytes > 0) {
      }
    }
    for (std::uint16_t p = 0; p < 2; ++p) ledger.status({MachineKind::billing, p});
  }
  for (std::uint16_t p = 0; p < 2; ++p) {
    ledger.journal.fail_next_append(ToyLedger::partition(Topic::billing, p), Fault::before_write, kUnavailable);
    ledger.journal.release(ToyLedger::partition(Topic::billing, p));
  }
  ASSERT_TRUE(ledger.settle());
  ledger.check();
}

TEST(Recovery, FoldingPausesWhileTargetsDoNotAnswer) {
  ToyLedger ledger;
  ledger.options.outbox_bytes_max = 4000;
  ledger.options.commit_pause = std::chrono::milliseconds(0);  // each event its own commit
  ASSERT_TRUE(ledger.start().ok());
  // All that metering 0 writes to: a lane that is answered would shrink the outbox again, and folding would rightly go
  // on.
  const std::vector<journal::Partition> targets{
      ToyLedger::partition(Topic::allocations, 0), ToyLedger::partition(Topic::allocations, 1),
      ToyLedger::partition(Topic::rejected, machine::shard_partition(MachineKind::metering, 0, 2))};
  for (const auto& target : targets) ledger.journal.delay(target);
  const Shard metering{MachineKind::metering, 0};
  int n = 0;
  std::size_t outbox = 0;
  for (; outbox <= ledger.options.outbox_bytes_max; ++n) {
    ASSERT_LT(n, 1000) << "the outbox does not grow";
    use(ledger, n, n + 1);
    const auto end = *ledger.journal.end(ToyLedger::partition(Topic::usage, 0));
    for (auto now = ledger.status(metering); now.committed < end && outbox <= ledger.options.outbox_bytes_max;) {
      now = ledger.status(metering);
      outbox = now.outbox_bytes;
    }
  }
  const auto paused = ledger.status(metering);
  EXPECT_LT(paused.outbox_bytes, 2 * ledger.options.outbox_bytes_max);
  use(ledger, n, n + 200);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ledger.status(metering).position, paused.position);
    EXPECT_EQ(ledger.status(metering).outbox_bytes, paused.outbox_bytes);
  }
  EXPECT_LT(paused.position, *ledger.journal.end(ToyLedger::partition(Topic::usage, 0)));
  for (const auto& target : targets) ledger.journal.release(target);
  ASSERT_TRUE(ledger.settle());
  ledger.check();
}

// How many bytes each append to one partition had.
class CountingJournal final : public testing_support::ForwardingJournal {
 public:
  CountingJournal(journal::Journal& behind, journal::Partition partition)
      : ForwardingJournal(behind), partition_(std::move(partition)) {}
  void append(const journal::Partition& partition, std::vector<journal::Record> records, AppendDone done) override {
    if (partition == partition_) {
      std::size_t bytes = 0;
      for (const journal::Record& record : records) bytes += record.value.size();
      appends.push_back(bytes);
    }
    ForwardingJournal::append(partition, std::move(records), std::move(done));
  }
  std::vector<std::size_t> appends;  // of one owner; read once it has ended

 private:
  const journal::Partition partition_;
};

TEST(Recovery, WhatWaitsForATargetGoesOutInAppendsOfBoundedSize) {
  constexpr std::size_t kAppendMax = (1U << 20) + journal::kRecordBytesMax;  // as in shard.cc, and a packet
  ToyLedger ledger(1);
  const auto target = ToyLedger::partition(Topic::allocations, 0);
  CountingJournal door(ledger.journal, target);
  ledger.door = &door;
  ASSERT_TRUE(ledger.start().ok());
  ledger.journal.delay(target);
  const Shard metering{MachineKind::metering, 0};
  const std::string long_id(240, 'u');
  for (int n = 0; n < 12'000; ++n) ledger.usage(long_id + std::to_string(n), project(n), n);
  const auto end = *ledger.journal.end(ToyLedger::partition(Topic::usage, 0));
  while (ledger.status(metering).committed < end) {
  }
  ASSERT_GT(ledger.status(metering).outbox_bytes, 2 * kAppendMax);
  ledger.journal.release(target);
  ASSERT_TRUE(ledger.settle());
  ledger.check();
  ledger.stop();
  ASSERT_FALSE(door.appends.empty());
  EXPECT_LE(*std::max_element(door.appends.begin(), door.appends.end()), kAppendMax);
  EXPECT_GE(std::count_if(door.appends.begin(), door.appends.end(), [](std::size_t one) { return one > 1U << 20; }), 2);
}

// What was acknowledged is gone while the process runs: it stops, and the next start folds again and compares.
TEST(Recovery, AFailedLaneThatFindsLessThanWasAcknowledgedStopsTheProcess) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  use(ledger, 0, 100);
  ASSERT_TRUE(ledger.settle());
  for (std::uint16_t p = 0; p < 2; ++p) {
    const auto billing = ToyLedger::partition(Topic::billing, p);
    ASSERT_GT(*ledger.journal.end(billing), 3U);
    ledger.journal.truncate(billing, 3);
    ledger.journal.fail_next_append(billing, Fault::before_write, kUnavailable);
  }
  use(ledger, 100, 120);
  Error error;
  ASSERT_TRUE(ledger.wait_fatal(error));
  EXPECT_EQ(error.code, ErrorCode::conflict);
  EXPECT_NE(error.message.find("holds less than was acknowledged"), std::string::npos) << error.message;
  ledger.stop();
  ledger.journal.crash();  // the other order is forgotten
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.check();
}

TEST(Recovery, StateThatWasDeletedComesBackAndNothingIsSentTwice) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  ledger.append(Topic::applications, 0, toy_stated("s", "key", 9));
  use(ledger, 0, 200);
  ASSERT_TRUE(ledger.settle());
  ledger.tick(units::kHourMs);
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  const auto digests = ledger.digests();
  const auto before = ends(ledger);
  std::vector<std::vector<Shard>> losses{ledger.shards()};
  for (const Shard& shard : ledger.shards()) losses.push_back({shard});
  for (const auto& lost : losses) {
    for (const Shard& shard : lost) ledger.wipe(shard);
    ASSERT_TRUE(ledger.start().ok());
    ASSERT_TRUE(ledger.settle());
    ledger.check();
    for (const Shard& shard : ledger.shards()) EXPECT_EQ(ledger.status(shard).parked, "");
    ledger.stop();
    EXPECT_EQ(ledger.digests(), digests);
    EXPECT_EQ(ends(ledger), before);
  }
  EXPECT_TRUE(ledger.wiped().empty());
}

// The newest commits of a store are gone after a power cut: it is behind its targets, and folds what it forgot without
// sending it again.
TEST(Recovery, StateThatIsBehindItsTargetsSendsNothingTwice) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  for (int n = 0; n < 8; ++n) {
    use(ledger, 20 * n, 20 * n + 20);
    ASSERT_TRUE(ledger.settle());
  }
  ledger.stop();
  const auto digests = ledger.digests();
  const auto before = ends(ledger);
  for (std::size_t lost = 1; lost <= 4; ++lost) {
    ledger.crash([lost](const Shard& shard) { return lost + shard.second; });
    ASSERT_TRUE(ledger.start().ok());
    ASSERT_TRUE(ledger.settle());
    ledger.check();
    ledger.stop();
    EXPECT_EQ(ledger.digests(), digests);
    EXPECT_EQ(ends(ledger), before);
  }
}

TEST(Recovery, AJournalThatIsShorterThanTheStateIsRefused) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  use(ledger, 0, 20);
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  const auto usage = ToyLedger::partition(Topic::usage, 1);
  const auto last = ledger.records(usage).back();
  ledger.journal.truncate(usage, *ledger.journal.end(usage) - 1);
  auto refused = ledger.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
  EXPECT_NE(refused.error().message.find("shorter"), std::string::npos) << refused.error().message;

  ledger.append(Topic::usage, 1, toy_usage(id_in(1, "another"), "p-a", 1));
  refused = ledger.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
  EXPECT_NE(refused.error().message.find("not the one that was folded"), std::string::npos) << refused.error().message;

  ledger.journal.truncate(usage, *ledger.journal.end(usage) - 1);
  ledger.append(Topic::usage, 1, last.value);
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.check();
}

// A target that ends before the outbox begins means: fold again.
TEST(Recovery, WhatATargetLostIsFoldedAndSentAgain) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  for (int n = 0; n < 60; ++n) {
    const std::string id = "u" + std::to_string(n);
    if (toy_shard(id, 2) == 0) ledger.usage(id, project(n), n);
    if (n % 20 == 0) {
      ASSERT_TRUE(ledger.settle());
    }
  }
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  const auto digests = ledger.digests();
  const auto allocations = ToyLedger::partition(Topic::allocations, 0);
  for (const journal::Offset left : {2, 1}) {
    ASSERT_GT(*ledger.journal.end(allocations), left);
    ledger.journal.truncate(allocations, left);
    ledger.wipe({MachineKind::allocation, 0});  // its reader had folded what is gone
    ledger.states.forget_counts();
    ASSERT_TRUE(ledger.start().ok());
    ASSERT_TRUE(ledger.settle());
    ledger.check();
    ledger.stop();
    EXPECT_EQ(ledger.wiped(), (std::map<Shard, int>{{{MachineKind::metering, 0}, 1}}));
    EXPECT_EQ(ledger.digests(), digests);
  }
  const auto billing = ToyLedger::partition(Topic::billing, 0);
  ASSERT_GT(*ledger.journal.end(billing), 3U);
  ledger.journal.truncate(billing, 3);
  ledger.states.forget_counts();
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.check();
  EXPECT_EQ(ledger.wiped(), (std::map<Shard, int>{{{MachineKind::billing, 0}, 1}}));
}

// A packet that its reader will drop does not stand, however near the end of the target.
TEST(Recovery, APacketOfAStrangerIsNotTakenForOnesOwn) {
  for (const bool with_state : {true, false}) {
    ToyLedger ledger;
    ASSERT_TRUE(ledger.start().ok());
    use(ledger, 0, 20);
    ASSERT_TRUE(ledger.settle());
    ledger.stop();
    const auto allocations = ToyLedger::partition(Topic::allocations, 0);
    for (const auto& record : ledger.records(allocations)) {
      events::Packet packet;
      if (events::kind_of(record.value) != events::RecordKind::packet ||
          !codec::decode(events::body_of(record.value), packet))
        continue;
      packet.first += 1000;  // behind a gap
      ledger.append(Topic::allocations, 0, events::encode_record(kTestLedger, packet));
      packet.first = packet.first - 1000 + packet.events.size();  // next perhaps, but chained to something else
      packet.before = Bytes(32, 'z');
      ledger.append(Topic::allocations, 0, events::encode_record(kTestLedger, packet));
    }
    if (!with_state) ledger.wipe_all();
    ASSERT_TRUE(ledger.start().ok());
    use(ledger, 20, 60);
    ASSERT_TRUE(ledger.settle());
    ledger.check();
    EXPECT_GT(ledger.status({MachineKind::allocation, 0}).lane_alarms, 0U);
    for (const Shard& shard : ledger.shards()) EXPECT_EQ(ledger.status(shard).parked, "");
  }
}

// A machine that gives another output for the same input must be found out before any of it leaves, again after a
// restart, and be forgotten when the right build is back.
TEST(Recovery, AShardThatDisagreesWithWhatStandsIsParkedAndPublishesNothing) {
  for (const bool more_to_fold : {false, true}) {
    ToyLedger ledger;
    ASSERT_TRUE(ledger.start().ok());
    use(ledger, 0, 100);
    ASSERT_TRUE(ledger.settle());
    ledger.stop();
    const auto before = ends(ledger);
    const auto digests = ledger.digests();
    const Shard metering{MachineKind::metering, 1};
    ledger.wipe(metering);
    ledger.added[metering] = 1;
    if (more_to_fold) use(ledger, 100, 150);
    for (int restarts = 0; restarts < 3; ++restarts) {
      ASSERT_TRUE(ledger.start().ok());
      ASSERT_TRUE(ledger.settle());
      const auto status = ledger.status(metering);
      EXPECT_NE(status.parked.find("other output"), std::string::npos) << status.parked;
      EXPECT_EQ(status.committed, 0U) << "kept, the next start would not know that it is wrong";
      ledger.stop();
      if (!more_to_fold) {
        EXPECT_EQ(ends(ledger), before);
      }
    }
    ledger.added.clear();
    ASSERT_TRUE(ledger.start().ok());
    ASSERT_TRUE(ledger.settle());
    ledger.check();
    ledger.stop();
    if (!more_to_fold) {
      EXPECT_EQ(ledger.digests(), digests);
    }
  }
}

// Outward streams have no chained hash; their last record tells.
TEST(Recovery, DamagedStateIsToldOfAndFoldedAgainFromTheLog) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  use(ledger, 0, 200);
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  const auto digests = ledger.digests();
  const auto before = ends(ledger);
  for (const Shard& shard : ledger.shards()) {
    ledger.states.damaged.insert(runtime::name_of(shard));
    ledger.states.forget_counts();
    const testing_support::LogLines lines;
    ASSERT_TRUE(ledger.start().ok());
    ASSERT_TRUE(ledger.settle());
    ledger.check();
    EXPECT_EQ(ledger.fatal_calls(), 0U);
    ledger.stop();
    EXPECT_EQ(ledger.wiped(), (std::map<Shard, int>{{shard, 1}}));
    EXPECT_EQ(lines.of("state_damaged").size(), 1U);
    EXPECT_EQ(ledger.digests(), digests);
    EXPECT_EQ(ends(ledger), before);
  }
}

TEST(Recovery, ABillingShardThatDisagreesIsFoundByTheLastRecordOfItsStream) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  use(ledger, 0, 60);
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  const auto before = ends(ledger);
  for (std::uint16_t p = 0; p < 2; ++p) {
    ledger.wipe({MachineKind::billing, p});
    ledger.added[{MachineKind::billing, p}] = 1;
  }
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  for (std::uint16_t p = 0; p < 2; ++p)
    EXPECT_NE(ledger.status({MachineKind::billing, p}).parked.find("other output"), std::string::npos);
  ledger.stop();
  EXPECT_EQ(ends(ledger), before);
  ledger.added.clear();
  ASSERT_TRUE(ledger.start().ok());
  use(ledger, 60, 80);
  ASSERT_TRUE(ledger.settle());
  ledger.check();
}

// Puts a store back to what it held.
void restore(store::MemoryStore& disk, const store::View& rows) {
  store::WriteSet changes;
  disk.scan("", "", [&changes](BytesView key, BytesView) { return changes.erase(Bytes(key)), true; });
  rows.scan("", "", [&changes](BytesView key, BytesView value) { return changes.put(Bytes(key), Bytes(value)), true; });
  ASSERT_TRUE(disk.commit(changes).ok());
}

// A second owner was there: what it wrote stands in the target, and this shard's own state says something else.
TEST(Recovery, AnotherOwnersOutputInATargetIsFound) {
  ToyLedger ledger;
  const Shard metering{MachineKind::metering, 0};
  ASSERT_TRUE(ledger.start().ok());
  use(ledger, 0, 40);
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  const auto early = ledger.store(metering).snapshot();
  for (std::uint16_t p = 0; p < 2; ++p) ledger.journal.delay(ToyLedger::partition(Topic::allocations, p));
  ASSERT_TRUE(ledger.start().ok());
  use(ledger, 40, 80);
  while (ledger.status(metering).committed < *ledger.journal.end(ToyLedger::partition(Topic::usage, 0))) {
  }
  ledger.stop();
  const auto late = ledger.store(metering).snapshot();
  ledger.journal.crash();

  restore(ledger.store(metering), *early);
  ledger.added[metering] = 1;
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(ledger.status(metering).parked, "") << "it knows of nothing else";
  ledger.stop();

  restore(ledger.store(metering), *late);
  ledger.added.clear();
  ASSERT_TRUE(ledger.wiped().empty());
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(ledger.wiped()[metering], 1) << "folded again, to be sure";
  EXPECT_NE(ledger.status(metering).parked.find("other output"), std::string::npos);
}

// Everything at once, many times over. GRANARY_SEED=N repeats one.
TEST(Recovery, NothingIsLostAndNothingCountsTwiceWhateverBreaks) {
  const char* fixed = std::getenv("GRANARY_SEED");
  const std::uint64_t seed = fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device{}();
  std::printf("again: GRANARY_SEED=%llu unit_shard --gtest_filter=Recovery.Nothing*\n",
              static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  ToyLedger ledger;
  int next = 0;
  for (int lives = 0; lives < 60; ++lives) {
    ledger.options.commit_events_max = 1 + random() % 50;
    ledger.options.outbox_bytes_max = random() % 3 == 0 ? 2000 : 1 << 20;
    if (random() % 3 == 0) ledger.rows = {1 + random() % 3, 1 + random() % 2, 1 + random() % 2};  // another build
    ASSERT_TRUE(ledger.start().ok());
    for (int n = 0; n < 30; ++n) {
      const auto target = targets()[random() % targets().size()];
      switch (random() % 8) {
        case 0:
          ledger.journal.fail_next_append(target, random() % 2 == 0 ? Fault::before_write : Fault::after_write,
                                          kUnavailable);
          break;
        case 1:
          ledger.journal.delay(target);
          break;
        case 2:
          ledger.journal.release(target);
          break;
        case 3:
          ledger.tick(lives * units::kHourMs + n);
          break;
        default: {
          const int first = random() % 4 == 0 ? static_cast<int>(random() % static_cast<unsigned>(next + 1)) : next;
          use(ledger, first, first + 5);
          next = std::max(next, first + 5);
        }
      }
    }
    if (random() % 3 == 0) {
      for (const auto& target : targets()) ledger.journal.release(target);
      ASSERT_TRUE(ledger.settle());
      ledger.check();
    }
    ledger.crash([&random](const Shard&) { return random() % 4; });
    ledger.check_outward();
    for (const Shard& shard : ledger.shards())
      if (random() % 6 == 0) ledger.wipe(shard);
    ASSERT_FALSE(HasFailure()) << "in life " << lives;
  }
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.check();
  for (const Shard& shard : ledger.shards()) EXPECT_EQ(ledger.status(shard).parked, "");
  ledger.stop();
  for (const Shard& shard : ledger.shards()) {
    store::MemoryStore scratch;
    const auto again =
        runtime::replay_shard(ledger.journal, runtime::Ledger{kTestLedger, 2, 1}, shard.first, shard.second,
                              *ledger.journal.end(ToyLedger::partition(machine::inbox_of(shard.first), shard.second)),
                              std::make_unique<ToyMachine>(shard.first), scratch, 13, [](std::size_t) {});
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->digest, runtime::state_digest(ledger.store(shard)));
    EXPECT_EQ(runtime::first_difference(scratch, ledger.store(shard)), "");
  }
}

}  // namespace
}  // namespace granary::test
