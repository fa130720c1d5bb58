// Checkpoints: written behind commits, believed where their last record still stands, and otherwise no loss.
#include <gtest/gtest.h>

#include "shared/events/record.h"
#include "shared/proof/hash.h"
#include "shared/shard/target_scan.h"
#include "tests/support/toy_ledger.h"

namespace granary::test {
namespace {

using machine::MachineKind;
using machine::Topic;
using runtime::LaneTarget;
using runtime::TargetScan;

constexpr std::uint16_t kPartitions = 2;
constexpr LaneTarget kAllocations{Topic::allocations, 0};

journal::Partition checkpoints_of(MachineKind machine, std::uint16_t shard) {
  return ToyLedger::partition(Topic::checkpoints, machine::shard_partition(machine, shard, kPartitions));
}

// A ledger that has folded some usages and stands still.
class Checkpoints : public testing::Test {
 protected:
  void SetUp() override {
    ledger.options.checkpoint_records = 4;
    ASSERT_TRUE(ledger.start().ok());
    for (int n = 0; n < 60; ++n) {
      ledger.usage("u" + std::to_string(n), "p-" + std::to_string(n % 9), n + 1);
      if (n % 10 != 9) continue;
      ASSERT_TRUE(ledger.settle());  // a checkpoint follows a commit
    }
  }

  runtime::LaneCounter lane_of_metering(std::uint16_t shard) {
    TargetScan scan(ledger.journal, {kTestLedger, kPartitions, 1});
    const auto standing = scan.last_of(MachineKind::metering, shard, kAllocations, {}, 0);
    EXPECT_TRUE(standing.ok());
    return standing->last;
  }

  // As the reader would write it, but that it claims `number` for the lane of metering 0.
  void append_checkpoint(std::uint64_t size, const Bytes& last_record, std::uint64_t number) {
    events::Checkpoint checkpoint;
    checkpoint.topic = "granary.allocations.v1";
    checkpoint.size = size;
    checkpoint.last_record_hash = Bytes(view_of(proof::sha256(last_record)));
    checkpoint.lanes.push_back({MachineKind::metering, 0, number + 1, Bytes(32, '\1')});
    checkpoint.check = Bytes(view_of(runtime::check_of(checkpoint)));
    append_to_checkpoints(checkpoint);
  }

  void append_to_checkpoints(const events::Checkpoint& checkpoint) {
    journal::Record record;
    record.value = events::encode_record(kTestLedger, checkpoint);
    ASSERT_TRUE(append_and_wait(ledger.journal, checkpoints_of(MachineKind::allocation, 0), {record}).ok());
  }

  [[nodiscard]] std::vector<journal::Record> inbox() const {
    return ledger.records(ToyLedger::partition(Topic::allocations, 0));
  }

  ToyLedger ledger{kPartitions};
};

TEST_F(Checkpoints, SayWhatTheInboxHeldAtThatSize) {
  int seen = 0;
  for (const MachineKind machine : {MachineKind::metering, MachineKind::allocation, MachineKind::billing}) {
    for (std::uint16_t shard = 0; shard < kPartitions; ++shard) {
      const auto inbox = ledger.records(ToyLedger::partition(machine::inbox_of(machine), shard));
      for (const journal::Record& record : ledger.records(checkpoints_of(machine, shard))) {
        const auto checkpoint = events::read_checkpoint(record.value);
        ASSERT_TRUE(checkpoint);
        ASSERT_LE(checkpoint->size, inbox.size());
        EXPECT_EQ(BytesView(checkpoint->last_record_hash), view_of(proof::sha256(inbox[checkpoint->size - 1].value)));
        ++seen;
      }
    }
  }
  EXPECT_GT(seen, 6);
}

TEST_F(Checkpoints, AScanFromTheNewestOneFindsWhatAScanOfEverythingFinds) {
  const auto with = lane_of_metering(0);
  const auto status = ledger.status({MachineKind::metering, 0});
  EXPECT_GT(status.events, 0U);
  ledger.stop();
  // Without them: a ledger in which the topic is empty.
  journal::MemoryJournal other;
  for (const auto topic : machine::kTopics)
    ASSERT_TRUE(
        other.create_topic({std::string(machine::topic_name(topic)), machine::partitions_of(topic, kPartitions)}).ok());
  ASSERT_TRUE(append_and_wait(other, ToyLedger::partition(Topic::allocations, 0), inbox()).ok());
  TargetScan scan(other, {kTestLedger, kPartitions, 1});
  const auto without = scan.last_of(MachineKind::metering, 0, kAllocations, {}, 0);
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(without->last, with);
  EXPECT_GT(with.number, 0U);
}

TEST_F(Checkpoints, TheNewestWhoseLastRecordStandsIsBelieved) {
  const auto records = inbox();
  append_checkpoint(records.size(), records.back().value, 1'000'000);
  EXPECT_EQ(lane_of_metering(0).number, 1'000'000U) << "nothing stands behind it, so the scan ends with what it says";
}

TEST_F(Checkpoints, OneWhoseLastRecordNoLongerMatchesIsPassedOver) {
  const auto before = lane_of_metering(0);
  const auto records = inbox();
  append_checkpoint(records.size(), "another record", 1'000'000);
  append_checkpoint(records.size() + 7, records.back().value, 1'000'000);  // of a log that was longer
  EXPECT_EQ(lane_of_metering(0), before);
}

TEST_F(Checkpoints, BytesThatAreNoneArePassedOver) {
  const auto before = lane_of_metering(0);
  journal::Record record;
  for (const char* bytes : {"", "\x51", "\x51\xff", "\x41"}) {
    record.value = bytes;
    ASSERT_TRUE(append_and_wait(ledger.journal, checkpoints_of(MachineKind::allocation, 0), {record}).ok());
  }
  EXPECT_EQ(lane_of_metering(0), before);
}

// One that claimed more than stands would keep a writer that lost its state from sending what comes next.
TEST_F(Checkpoints, OneWithAFlippedBitIsPassedOver) {
  const auto before = lane_of_metering(0);
  const auto written = ledger.records(checkpoints_of(MachineKind::allocation, 0));
  ASSERT_FALSE(written.empty());
  for (std::size_t bit = 8; bit < written.back().value.size() * 8; ++bit) {
    journal::Record record = written.back();
    record.value[bit / 8] = static_cast<char>(record.value[bit / 8] ^ (1 << bit % 8));
    ASSERT_TRUE(append_and_wait(ledger.journal, checkpoints_of(MachineKind::allocation, 0), {record}).ok());
    ASSERT_EQ(lane_of_metering(0), before) << bit;
  }
}

TEST_F(Checkpoints, AWriterThatLostItsStateGoesOnBehindThem) {
  ledger.stop();
  for (const Shard& shard : ledger.shards()) ledger.wipe(shard);
  ASSERT_TRUE(ledger.start().ok());
  for (int n = 60; n < 80; ++n) ledger.usage("u" + std::to_string(n), "p-" + std::to_string(n % 9), n + 1);
  ASSERT_TRUE(ledger.settle());
  ledger.check();
  for (const Shard& shard : ledger.shards()) EXPECT_EQ(ledger.status(shard).lane_alarms, 0U);
}

// Two owners of a shard for a moment: what the slower one wrote last is older.
TEST_F(Checkpoints, AnOlderNumberAtTheEndOfAnOutwardStreamIsNotItsLast) {
  const LaneTarget billing{Topic::billing, 0};
  TargetScan scan(ledger.journal, {kTestLedger, kPartitions, 1});
  const auto before = scan.last_of(MachineKind::billing, 0, billing, {}, 0);
  ASSERT_TRUE(before.ok());
  ASSERT_GT(before->last.number, 3U);
  const auto stream = ledger.records(ToyLedger::partition(Topic::billing, 0));
  ASSERT_TRUE(append_and_wait(ledger.journal, ToyLedger::partition(Topic::billing, 0), {stream[1], stream[2]}).ok());
  const auto after = scan.last_of(MachineKind::billing, 0, billing, {}, 0);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->last, before->last);
  ledger.stop();
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_TRUE(ledger.wiped().empty()) << "nothing is missing there, so no state has to be folded again";
}

}  // namespace
}  // namespace granary::test
