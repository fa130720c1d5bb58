// Records that do not belong where they stand, in every inbox of a ledger over a real log: what is foreign, another
// ledger's, another partition's or another lane's is answered and stops nobody, what a newer build wrote parks. A
// program includes this once; the test runs over the log that it names.
//
//   INSTANTIATE_TEST_SUITE_P(Over, Strays, ::testing::Values(JournalKind{"embedded", open}), journal_name);
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <set>
#include <thread>

#include "services/standalone/machines.h"
#include "shared/json/strict_json.h"
#include "shared/proof/hash.h"
#include "shared/runtime/runtime.h"
#include "shared/store/memory_states.h"
#include "tests/scenario/ledger.h"

namespace granary::scenario {

struct JournalKind {
  std::string name;
  std::function<Ledger::Options()> options;  // of which the journal counts
};

inline std::string journal_name(const ::testing::TestParamInfo<JournalKind>& info) {
  return info.param.name;
}

class Strays : public ::testing::TestWithParam<JournalKind> {
 protected:
  static constexpr runtime::Ledger kLedger{Id16{0x57, 0xa7, 1}, 2, 1};

  struct FixedClock final : Clock {
    [[nodiscard]] std::int64_t wall_ms() const override { return 0; }
    [[nodiscard]] std::int64_t monotonic_ms() const override { return 0; }
  };

  void SetUp() override {
    options_ = GetParam().options();
    journal_ = options_.open_journal();
    const auto opened = runtime::open_ledger(*journal_, {kLedger.partitions, kLedger.id}, FixedClock());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    start();
    for (const MachineKind kind : machine::kMachines)
      for (std::uint16_t number = 0; number < machine::shards_of(kind, kLedger.partitions); ++number)
        shards_.emplace_back(kind, number);
  }
  void start() {
    auto started = runtime::start_runtime(*journal_, {}, standalone::make_machine, states_, markers_.path(),
                                          [](const Error& error) { ADD_FAILURE() << error.message; });
    ASSERT_TRUE(started.ok()) << started.error().message;
    runtime_ = std::move(*started);
  }
  void TearDown() override {
    if (runtime_) runtime_->stop();
  }

  static journal::Partition inbox(const ShardName& shard) {
    return {std::string(machine::topic_name(machine::inbox_of(shard.first))), shard.second};
  }
  std::uint64_t append(const ShardName& shard, Bytes bytes) {
    std::vector<journal::Record> records(1);
    records.front().value = std::move(bytes);
    const auto at = journal::append_and_wait(*journal_, inbox(shard), std::move(records));
    EXPECT_TRUE(at.ok());
    return at.ok() ? *at : 0;
  }
  runtime::ShardStatus status(const ShardName& shard) {
    for (runtime::ShardStatus& one : runtime_->status())
      if (ShardName(one.machine, one.shard) == shard) return one;
    return {};
  }
  // What a shard tells of itself follows its commit.
  runtime::ShardStatus status_when(const ShardName& shard,
                                   const std::function<bool(const runtime::ShardStatus&)>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds(status(shard)) && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return status(shard);
  }
  // All that it refused, by now.
  std::multiset<std::string> reasons(const ShardName& shard) {
    std::multiset<std::string> all;
    const journal::Partition rejected{std::string(machine::topic_name(Topic::rejected)),
                                      machine::shard_partition(shard.first, shard.second, kLedger.partitions)};
    journal::ReadBatch batch;
    for (std::uint64_t at = 0; journal_->read(rejected, at, 1U << 20, batch).ok() && !batch.records.empty();) {
      at += batch.records.size();
      for (const journal::Record& record : batch.records)
        all.insert(json::parse(record.value)->find("reason")->string());
    }
    return all;
  }
  void wait_until_told(const ShardName& shard, std::uint64_t position) {
    runtime::Needs needs;
    needs.position = position;
    needs.committed = needs.published = true;
    std::promise<void> met;
    const auto alive = std::make_shared<int>();
    runtime_->when_met(shard, needs, alive, [&met](const auto&) { met.set_value(); });
    ASSERT_EQ(met.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  }

  // A usage whose key belongs to that partition.
  static Bytes usage_of(std::uint16_t partition) {
    events::UsageReported usage;
    usage.project = "p";
    usage.resources = {{"gpu", units::Quantity(1000), {}, ""}};
    usage.end = usage.start.plus_ms(1000);
    events::Raw raw;
    raw.source = "slurm://a";
    raw.caller.kind = events::CallerKind::open;
    for (int n = 0; raw.id.empty() || proof::shard_of({raw.source, raw.id}, kLedger.partitions) != partition; ++n)
      raw.id = std::to_string(n);
    events::encode_event(usage, raw.substance);
    return events::encode_record(kLedger.id, raw);
  }
  // The first packet of a lane that leads to another partition than `shard`.
  static Bytes packet_beside(const ShardName& shard, MachineKind writer) {
    Bytes event;
    events::encode_event(events::LaneCompleted{units::Instant(1)}, event);
    runtime::PacketBuilder packet;
    packet.start(kLedger.id, writer, 0, 1,
                 runtime::chain_start(kLedger.id, writer, 0, machine::inbox_of(shard.first), shard.second + 1));
    packet.add(event);
    return packet.take();
  }

  Ledger::Options options_;  // keeps the log's files
  std::shared_ptr<journal::Journal> journal_;
  store::MemoryStates states_;
  testing_support::TempDirectory markers_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::vector<ShardName> shards_;
};

TEST_P(Strays, AreAnsweredAndStopNobody) {
  Id16 other = kLedger.id;
  other[5] ^= 0xff;
  for (const ShardName& shard : shards_) {
    SCOPED_TRACE(inbox(shard).topic + "/" + std::to_string(shard.second));
    const std::multiset<std::string> wanted{"foreign", "foreign", "foreign", "wrong_partition", "wrong_partition"};
    append(shard, R"({"specversion":"1.0","type":"granary.usage.reported.v1"})");
    append(shard, events::encode_record(other, events::Tick{units::Instant(5)}));
    append(shard,
           events::encode_record(
               kLedger.id, events::Genesis{kLedger.id, kLedger.partitions, inbox(shard).topic, shard.second, {}, 1}));
    append(shard, usage_of(1 - shard.second));
    append(shard, events::encode_record(kLedger.id, events::Checkpoint{inbox(shard).topic, 0, 1, "h", {}, ""}));
    const auto writers = machine::writers_of(machine::inbox_of(shard.first));
    if (!writers.empty()) append(shard, packet_beside(shard, writers.front()));
    const std::uint64_t alarms = writers.empty() ? 0 : 1;  // no lane leads to intake
    const std::uint64_t last = append(shard, events::encode_record(kLedger.id, events::Tick{units::Instant(7)}));
    wait_until_told(shard, last + 1);
    const runtime::ShardStatus now = status_when(shard, [](const auto& s) { return s.now == units::Instant(7); });
    EXPECT_EQ(now.now, units::Instant(7)) << "what comes behind them is folded";
    EXPECT_EQ(now.parked, "");
    EXPECT_EQ(now.lane_alarms, alarms);
    EXPECT_EQ(reasons(shard), wanted);
  }
}

// As `kafka-console-producer` writes one for each press of Enter.
TEST_P(Strays, ThatAreEmptyAreAnsweredAndTheNextStartKnowsItsLogAgain) {
  for (const ShardName& shard : shards_) {
    SCOPED_TRACE(inbox(shard).topic + "/" + std::to_string(shard.second));
    const std::uint64_t tick = append(shard, events::encode_record(kLedger.id, events::Tick{units::Instant(7)}));
    wait_until_told(shard, tick + 1);
    wait_until_told(shard, append(shard, "") + 1);
    EXPECT_EQ(reasons(shard), std::multiset<std::string>{"foreign"});
  }
  runtime_->stop();
  start();
  for (const ShardName& shard : shards_) EXPECT_EQ(status(shard).parked, "");
}

TEST_P(Strays, OfANewerBuildPark) {
  for (const ShardName& shard : shards_) {
    SCOPED_TRACE(inbox(shard).topic + "/" + std::to_string(shard.second));
    Bytes newer = events::encode_record(kLedger.id, events::Tick{units::Instant(5)});
    newer[events::kFrontBytes - 1] = '\x61';  // a sixth kind
    const std::uint64_t place = append(shard, newer);
    const runtime::ShardStatus now = status_when(shard, [](const auto& s) { return !s.parked.empty(); });
    EXPECT_NE(now.parked.find("kind or version"), std::string::npos) << now.parked;
    EXPECT_EQ(now.position, place);
    EXPECT_TRUE(reasons(shard).empty());
  }
}

}  // namespace granary::scenario
