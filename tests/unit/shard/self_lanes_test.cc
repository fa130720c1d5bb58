// A machine that writes to its own inbox (transfers will): its own lanes do not hold up `complete`, they survive
// restarts and lost state as others do, and a token is followed over them.
#include <gtest/gtest.h>

#include <future>

#include "shared/fold/layout.h"
#include "shared/proof/hash.h"
#include "tests/support/toy_ledger.h"
#include "tests/unit/fold/fold_harness.h"

namespace granary::test {
namespace {

constexpr std::int64_t kFiveMinutes = 5 * units::kMinuteMs;

constexpr runtime::Ledger kSelfLanes{kTestLedger, kPartitions, 1, &kToyTopology};

TEST(SelfLanes, DoNotCountForComplete) {
  store::MemoryStore store;
  Fold fold(kSelfLanes, MachineKind::allocation, 0, std::make_unique<ToyMachine>(MachineKind::allocation));
  fold.open(store);
  fold.fold(toy_tick(3 * kFiveMinutes));
  EXPECT_EQ(fold.complete().ms(), 0) << "intake and metering have told nothing yet";
  for (const auto& [machine, shards] : {std::pair(MachineKind::intake, 1), std::pair(MachineKind::metering, 2)}) {
    for (std::uint16_t shard = 0; shard < shards; ++shard) {
      LaneWriter lane(machine, shard);
      lane.say(events::LaneCompleted{units::Instant(2 * kFiveMinutes)});
      fold.fold(lane.packet(1, 1));
    }
  }
  LaneWriter own(MachineKind::allocation, 1);
  own.say(toy_metered("1", "p-a", 5));
  EXPECT_EQ(fold.fold(own.packet(1, 1)), Fold::Step::folded);
  EXPECT_EQ(fold.counters().lane_alarms, 0U);
  EXPECT_EQ(fold.complete().ms(), 2 * kFiveMinutes);
  store::WriteSet rows;
  std::vector<runtime::OutPacket> ready;
  fold.flush(rows, ready);
  ASSERT_TRUE(store.commit(rows).ok());
  EXPECT_EQ(runtime::stored_as_of(store, MachineKind::allocation, 0, kPartitions).complete.ms(), 2 * kFiveMinutes);
  EXPECT_EQ(runtime::stored_lanes(store).contains({Topic::allocations, 1}), false) << "no instant goes to itself";
}

class SelfLanesRuntime : public testing::Test {
 protected:
  void SetUp() override {
    ledger.options.topology = &kToyTopology;
    ASSERT_TRUE(ledger.start().ok());
  }
  void TearDown() override { ledger.stop(); }
  runtime::Place use(int n) {
    return ledger.usage("u" + std::to_string(n), "via:p-" + std::string(1, static_cast<char>('a' + n % 7)), 1000 + n);
  }
  void settle() {
    for (int hop = 0; hop < 2; ++hop) ASSERT_TRUE(ledger.settle());  // the second time what came on its own lanes
  }

  ToyLedger ledger{2};
};

TEST_F(SelfLanesRuntime, LoseNothingAndDoubleNothing) {
  for (int n = 0; n < 40; ++n) use(n);
  settle();
  ledger.check();
  ledger.stop();
  const auto digests = ledger.digests();
  ledger.wipe_all();
  ASSERT_TRUE(ledger.start().ok());
  settle();
  for (const Shard& shard : ledger.shards()) {
    EXPECT_EQ(ledger.status(shard).parked, "");
    EXPECT_EQ(ledger.status(shard).lane_alarms, 0U);
    EXPECT_EQ(ledger.status(shard).repeats_dropped, 0U) << "what is in an inbox is not sent again";
  }
  for (int n = 40; n < 60; ++n) use(n);
  settle();
  ledger.check();
}

TEST_F(SelfLanesRuntime, ATokenIsFollowedOverThem) {
  for (int n = 0; n < 14; ++n) {
    const runtime::Token token{{use(n)}, ledger.runtime->ledger_mark()};
    const std::string project = "p-" + std::string(1, static_cast<char>('a' + n % 7));
    const std::uint16_t shard = proof::shard_of({project}, 2);
    const auto alive = std::make_shared<int>();
    std::promise<runtime::Runtime::Folded> folded;
    ledger.runtime->when_folded(token, MachineKind::allocation, shard, alive,
                                [&folded](runtime::Runtime::Folded how) { folded.set_value(how); });
    EXPECT_EQ(folded.get_future().get(), runtime::Runtime::Folded::yes);
    std::uint64_t events = 0;
    ledger.ask({MachineKind::allocation, shard},
               [&](ToyMachine& toy, const runtime::ShardStatus&) { events = toy.sum(project).events; });
    EXPECT_EQ(events, 1U + static_cast<unsigned>(n) / 7) << n;
  }
}

}  // namespace
}  // namespace granary::test
