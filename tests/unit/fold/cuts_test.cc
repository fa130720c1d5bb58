// Law 4: nothing that lasts depends on where a commit, a packet or a restart falls.
#include <gtest/gtest.h>

#include <random>

#include "shared/fold/outward.h"
#include "tests/unit/fold/fold_harness.h"

namespace granary::test {
namespace {

using runtime::LaneCounter;

// A history with everything in it: usages, repeats, conflicts, refusals, malformed records, facts by lane, ticks.
std::vector<Bytes> history() {
  std::mt19937_64 random(20261031);
  LaneWriter intake(MachineKind::intake, 0, MachineKind::metering);
  std::uint64_t said = 0;
  std::vector<Bytes> records;
  for (int n = 0; n < 2000; ++n) {
    const auto dice = random() % 20;
    const std::string id = id_in(0, std::to_string(dice == 0 ? random() % 2000 : static_cast<std::uint64_t>(n)) + "-");
    const std::string project = dice == 1 ? "nobody" : "p-" + std::string(1, static_cast<char>('a' + random() % 9));
    if (dice == 2) {
      records.push_back(toy_tick(n * 10'000));
    } else if (dice == 3) {
      intake.say(toy_fact(random() % 100));
      ++said;
      const std::uint64_t first = said - random() % std::min<std::uint64_t>(said, 3);
      records.push_back(intake.packet(first, said));
    } else if (dice == 4) {
      records.push_back("no record");
    } else {
      records.push_back(toy_usage(id, project, static_cast<std::int64_t>(1 + random() % 1000)));
    }
  }
  return records;
}

struct Result {
  Hash32 digest{};
  std::map<LaneTarget, LaneCounter> lanes;
  std::map<LaneTarget, std::vector<Bytes>> events;
};

constexpr std::uint64_t kWholeRecords = UINT64_MAX;

Result fold_all(const std::vector<Bytes>& records, std::size_t commit_every, bool restart,
                MachineKind kind = MachineKind::metering, std::uint64_t step_bytes = kWholeRecords,
                std::size_t* steps = nullptr) {
  FoldHarness harness(kind);
  std::size_t since = 0;
  for (const Bytes& record : records) {
    harness.fold->set_step_bytes(step_bytes);
    while (harness.take(record) != Fold::Step::folded) {
      EXPECT_TRUE(harness.fold->is_unfinished());
      const std::uint64_t position = harness.fold->position();
      const std::uint64_t repeats = harness.fold->counters().repeats_dropped;
      harness.commit();
      if (restart) harness.open();
      harness.fold->set_step_bytes(step_bytes);
      EXPECT_EQ(harness.fold->position(), position);
      EXPECT_TRUE(harness.fold->is_unfinished());
      if (!restart) {
        EXPECT_EQ(harness.fold->counters().repeats_dropped, repeats);
      }
      if (steps != nullptr) ++*steps;
    }
    EXPECT_FALSE(harness.fold->is_unfinished());
    if (++since < commit_every) continue;
    since = 0;
    harness.commit();
    if (restart) harness.open();
  }
  harness.commit();
  Result result;
  result.digest = runtime::state_digest(harness.store);
  result.lanes = harness.fold->out_lanes();
  for (const auto& [target, counter] : result.lanes) result.events[target] = harness.events_to(target);
  return result;
}

TEST(Cuts, ChangeNothingThatLasts) {
  const auto records = history();
  const Result once = fold_all(records, records.size(), false);
  ASSERT_GE(once.lanes.size(), 3U);
  for (const auto& [target, counter] : once.lanes) {
    EXPECT_EQ(once.events.at(target).size(), counter.number);
    Hash32 hash = runtime::chain_start(kTestLedger, MachineKind::metering, 0, target.topic, target.partition);
    Bytes scratch;
    for (const Bytes& event : once.events.at(target))
      hash = proof::chain(hash, machine::is_inbox(target.topic) ? event : runtime::outward_chained(event, scratch));
    EXPECT_EQ(hash, counter.hash);
  }
  for (const std::size_t commit_every : {1U, 7U, 1000U}) {
    for (const bool restart : {false, true}) {
      const Result cut = fold_all(records, commit_every, restart);
      EXPECT_EQ(cut.digest, once.digest) << commit_every;
      EXPECT_EQ(cut.events, once.events) << commit_every;
      ASSERT_EQ(cut.lanes.size(), once.lanes.size());
      for (const auto& [target, counter] : once.lanes) {
        EXPECT_EQ(cut.lanes.at(target).number, counter.number);
        EXPECT_EQ(cut.lanes.at(target).hash, counter.hash);
      }
    }
  }
}

// A packet that is folded over several commits, each with a restart, leaves what it leaves in one.
TEST(Cuts, AStepForEachEventChangesNothingThatLasts) {
  std::mt19937_64 random(20261128);
  LaneWriter metering(MachineKind::metering);
  std::vector<Bytes> records;
  std::uint64_t said = 0, sent = 0;
  for (int n = 0; n < 200; ++n) {
    for (std::uint64_t events = 1 + random() % 9; events > 0; --events)
      metering.say(
          toy_metered(std::to_string(++said), "p-" + std::string(1, static_cast<char>('a' + random() % 9)), 1));
    // Some begin with what a packet before them brought.
    records.push_back(metering.packet(random() % 3 == 0 ? 1 + random() % (sent + 1) : sent + 1, said));
    sent = said;
    if (n % 7 == 0) records.push_back(toy_tick(n * 10'000));
    if (n % 11 == 0) records.push_back(records[records.size() / 2]);
  }
  const Result once = fold_all(records, 10, false, MachineKind::allocation);
  for (const bool restart : {false, true}) {
    std::size_t steps = 0;
    const Result cut = fold_all(records, 10, restart, MachineKind::allocation, 0, &steps);
    EXPECT_GT(steps, 100U);
    EXPECT_EQ(cut.digest, once.digest);
    EXPECT_EQ(cut.events, once.events);
  }
}

TEST(Cuts, AFullPacketIsClosedBeforeTheCommit) {
  FoldHarness harness(MachineKind::metering);
  for (int n = 1; n <= 3000; ++n) harness.take(toy_usage(id_in(0, std::to_string(n) + "-"), "p-a", n));
  harness.commit();
  EXPECT_GT(harness.sent.size(), 1U);
  for (const auto& packet : harness.sent) EXPECT_LE(packet.bytes.size(), journal::kRecordBytesMax);
  const LaneTarget target{Topic::allocations, proof::shard_of({"p-a"}, kPartitions)};
  EXPECT_EQ(harness.events_to(target).size(), 3000U);
  // The outbox holds the same, in order.
  const auto outbox = runtime::read_outbox(harness.store);
  ASSERT_EQ(outbox.size(), harness.sent.size());
  for (std::size_t i = 0; i < outbox.size(); ++i) {
    EXPECT_EQ(outbox[i].bytes, harness.sent[i].bytes);
    EXPECT_EQ(outbox[i].last, harness.sent[i].last);
  }
}

}  // namespace
}  // namespace granary::test
