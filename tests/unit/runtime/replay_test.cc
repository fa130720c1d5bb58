// Replay: a fold of the same log from nothing agrees with what a server holds, or says where it does not.
#include "shared/runtime/replay.h"

#include <gtest/gtest.h>

#include "tests/support/toy_ledger.h"

namespace granary::test {
namespace {

using machine::MachineKind;
using machine::Topic;
using runtime::first_difference;
using runtime::overall_digest;
using runtime::ShardDigest;

class Replay : public ::testing::Test {
 protected:
  Replay() {
    EXPECT_TRUE(ledger.start().ok());
    ledger.append(Topic::applications, 0, toy_stated("s", "key", 9));
    for (int n = 0; n < 100; ++n)
      ledger.usage("u" + std::to_string(n), "p-" + std::string(1, static_cast<char>('a' + n % 7)), n);
    ledger.tick(units::kHourMs);
    EXPECT_TRUE(ledger.settle());
    ledger.stop();
  }

  Result<ShardDigest> fold(const Shard& shard, std::uint64_t position, store::Store& scratch,
                           std::size_t commit_every = 10) {
    folded = 0;
    return runtime::replay_shard(ledger.journal, runtime::Ledger{kTestLedger, 2, 1}, shard.first, shard.second,
                                 position, std::make_unique<ToyMachine>(shard.first), scratch, commit_every,
                                 [this](std::size_t count) { folded += count; });
  }
  ShardDigest live(const Shard& shard) {
    return runtime::stored_digest(ledger.store(shard), shard.first, shard.second);
  }

  ToyLedger ledger;
  std::size_t folded = 0;
  const Shard allocation{MachineKind::allocation, 0};
};

TEST_F(Replay, AgreesWithTheServerWhereverItCommits) {
  std::map<Topic, std::uint64_t> before;
  for (const Topic topic : machine::kTopics) before[topic] = *ledger.journal.end(ToyLedger::partition(topic, 0));
  for (const Shard& shard : ledger.shards()) {
    const ShardDigest stands = live(shard);
    EXPECT_GT(stands.position, 1U);
    for (const std::size_t commit_every : {1U, 13U, 100'000U}) {
      store::MemoryStore scratch;
      const auto again = fold(shard, stands.position, scratch, commit_every);
      ASSERT_TRUE(again.ok()) << again.error().message;
      EXPECT_EQ(*again, stands);
      EXPECT_EQ(folded, stands.position);
      EXPECT_EQ(first_difference(scratch, ledger.store(shard)), "");
    }
  }
  for (const Topic topic : machine::kTopics)
    EXPECT_EQ(*ledger.journal.end(ToyLedger::partition(topic, 0)), before[topic]) << "replay publishes nothing";
}

TEST_F(Replay, StopsAtThePositionThatItIsGiven) {
  const ShardDigest stands = live(allocation);
  ShardDigest last;
  for (std::uint64_t position = 0; position <= stands.position; ++position) {
    store::MemoryStore scratch;
    const auto part = fold(allocation, position, scratch);
    ASSERT_TRUE(part.ok());
    EXPECT_EQ(part->position, position);
    EXPECT_EQ(folded, position);
    last = *part;
  }
  EXPECT_EQ(last, stands);
}

TEST_F(Replay, NamesTheFirstRowThatDiffers) {
  store::MemoryStore scratch;
  ASSERT_TRUE(fold(allocation, live(allocation).position, scratch).ok());
  const Bytes row = Bytes("d\2", 2) + "key";
  const auto good = ledger.store(allocation).get(row);
  ASSERT_TRUE(good);
  const auto after = [&](const Bytes& key, std::optional<Bytes> value) {
    store::WriteSet change;
    if (value)
      change.put(key, *value);
    else
      change.erase(key);
    EXPECT_TRUE(ledger.store(allocation).commit(change).ok());
    return first_difference(scratch, ledger.store(allocation));
  };
  EXPECT_EQ(after(row, *good + "x"), "table 2, key 026b6579: another value");
  EXPECT_NE(live(allocation).digest, runtime::stored_digest(scratch, allocation.first, 0).digest);
  EXPECT_EQ(after(row, std::nullopt), "table 2, key 026b6579: only the fold has it");
  EXPECT_EQ(after(row, good), "");
  EXPECT_EQ(after(Bytes("d\7z"), "v"), "table 7, key 077a: only the state has it");
  EXPECT_EQ(after(Bytes("d\7z"), std::nullopt), "");
}

TEST_F(Replay, NamesALaneThatSaysSomethingElse) {
  store::MemoryStore scratch;
  const ShardDigest stands = live(allocation);
  ASSERT_TRUE(fold(allocation, stands.position, scratch).ok());
  // The state of another machine's fold of the same records: the same rows cannot be had, so its lanes are put in.
  store::MemoryStore other;
  const auto twisted =
      runtime::replay_shard(ledger.journal, runtime::Ledger{kTestLedger, 2, 1}, allocation.first, 0, stands.position,
                            std::make_unique<ToyMachine>(allocation.first, 1), other, 1000, [](std::size_t) {});
  ASSERT_TRUE(twisted.ok());
  EXPECT_NE(twisted->lanes, stands.lanes);
  store::WriteSet lanes;
  other.scan("mL", prefix_end("mL"),
             [&lanes](BytesView key, BytesView value) { return lanes.put(Bytes(key), Bytes(value)), true; });
  ASSERT_FALSE(lanes.empty());
  ASSERT_TRUE(ledger.store(allocation).commit(lanes).ok());
  EXPECT_EQ(live(allocation).digest, stands.digest);
  EXPECT_FALSE(live(allocation) == stands);
  const std::string difference = first_difference(scratch, ledger.store(allocation));
  EXPECT_TRUE(difference.starts_with("lane to granary.ledger.v1/")) << difference;
  EXPECT_TRUE(difference.ends_with("with another chained hash")) << difference;
}

TEST_F(Replay, SaysWhyItCannotGoOn) {
  store::MemoryStore scratch;
  const std::uint64_t end = *ledger.journal.end(ToyLedger::partition(Topic::usage, 1));
  const Shard metering{MachineKind::metering, 1};
  EXPECT_EQ(fold(metering, end + 1, scratch).error().code, ErrorCode::corrupt);
  ledger.append(Topic::usage, 1, toy_newer(0x72));
  store::MemoryStore fresh;
  const auto parked = fold(metering, end + 1, fresh);
  ASSERT_FALSE(parked.ok());
  EXPECT_NE(parked.error().message.find("record " + std::to_string(end)), std::string::npos) << parked.error().message;
}

TEST_F(Replay, TheDigestOverAllCoversEachPart) {
  std::vector<ShardDigest> all;
  for (const Shard& shard : ledger.shards()) all.push_back(live(shard));
  const Hash32 digest = overall_digest(all);
  EXPECT_EQ(overall_digest({all.rbegin(), all.rend()}), digest) << "their order means nothing";
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto changed = all;
    changed[i].digest[31] ^= 1;
    EXPECT_NE(overall_digest(changed), digest);
    changed = all;
    ++changed[i].position;
    EXPECT_NE(overall_digest(changed), digest);
    changed = all;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(overall_digest(changed), digest);
  }
}

}  // namespace
}  // namespace granary::test
