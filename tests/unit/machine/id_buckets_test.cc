#include "shared/machine/id_buckets.h"

#include <gtest/gtest.h>

#include <random>

#include "shared/store/memory_store.h"

namespace granary::machine {
namespace {

enum class Prefix : std::uint8_t { tested = 0x21 };
constexpr auto kPrefix = static_cast<std::uint8_t>(Prefix::tested);

// `high` is the fingerprint, `low` tells ids of one fingerprint apart.
Id16 id_of_numbers(std::uint64_t high, std::uint64_t low) {
  Bytes bytes;
  append_u64(bytes, high);
  append_u64(bytes, low);
  return *id_from(bytes);
}

Hash32 substance_of_number(std::uint64_t number) {
  Hash32 substance{};
  for (std::uint8_t& byte : substance) {
    byte = static_cast<std::uint8_t>(number);
    number = number * 6'364'136'223'846'793'005U + 1;
  }
  return substance;
}

// One shard's buckets over a store that outlives them, as a process does its disk.
class Shard {
 public:
  explicit Shard(std::size_t cached_blocks_max = 4) : cached_blocks_max_(cached_blocks_max) { reopen(); }
  void flush() {
    store::WriteSet rows;
    ids_->flush(rows);
    ASSERT_TRUE(store_.commit(rows).ok());
  }
  void reopen() {
    ids_.reset();
    ids_.emplace(tables_.emplace(), Prefix::tested, cached_blocks_max_);
    ids_->open(store_);
  }
  std::map<Bytes, Bytes> rows() const {
    std::map<Bytes, Bytes> all;
    store_.scan({}, {}, [&](BytesView key, BytesView value) { return all.emplace(key, value), true; });
    return all;
  }
  IdBuckets* operator->() { return &*ids_; }

 private:
  std::size_t cached_blocks_max_;
  store::MemoryStore store_;
  std::optional<TableSet> tables_;
  std::optional<IdBuckets> ids_;
};

TEST(IdBuckets, FindsWhatWasAddedAndNothingElse) {
  Shard shard;
  shard->add(id_of_numbers(1, 2), substance_of_number(3), 20000, 5, 6);
  const auto found = shard->find(id_of_numbers(1, 2));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->substance, substance_of_number(3));
  EXPECT_EQ(found->lane_partition, 5);
  EXPECT_EQ(found->lane_number, 6U);
  EXPECT_EQ(found->day, 20000);
  EXPECT_FALSE(shard->find(id_of_numbers(2, 2)).has_value());
  EXPECT_EQ(shard->size(), 1U);
}

TEST(IdBuckets, IdsOfOneFingerprintAreToldApart) {
  Shard shard;
  for (std::uint64_t low = 0; low < 300; ++low)
    shard->add(id_of_numbers(7, low), {}, static_cast<std::int64_t>(low % 3), 0, low + 1);
  for (std::uint64_t low = 0; low < 300; ++low) {
    const auto found = shard->find(id_of_numbers(7, low));
    ASSERT_TRUE(found.has_value()) << low;
    EXPECT_EQ(found->lane_number, low + 1);
  }
  EXPECT_FALSE(shard->find(id_of_numbers(7, 300)).has_value());
  shard->drop_before(1);
  for (std::uint64_t low = 0; low < 300; ++low)
    EXPECT_EQ(shard->find(id_of_numbers(7, low)).has_value(), low % 3 != 0) << low;
}

TEST(IdBuckets, BlocksAreCutByContentAndTheLastOneGrows) {
  Shard shard;
  for (std::uint64_t n = 0; n < 130; ++n) shard->add(id_of_numbers(n, n), {}, 9, 0, n);
  shard.flush();
  Bytes key(1, static_cast<char>(kPrefix));
  append_i64(key, 9);
  Bytes second = key;
  append_u32(key, 0);
  append_u32(second, 1);
  auto rows = shard.rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.at(key).size(), 128U * 58);
  EXPECT_EQ(rows.at(second).size(), 2U * 58);
  shard.reopen();
  shard->add(id_of_numbers(500, 0), {}, 9, 0, 1);
  shard.flush();
  EXPECT_EQ(shard.rows().at(second).size(), 3U * 58);
}

TEST(IdBuckets, WhatWaitedGetsItsLaneNumberAndKeepsItAfterReopening) {
  Shard shard(1);
  for (std::uint64_t n = 0; n < 1000; ++n) shard->add(id_of_numbers(n, n), substance_of_number(n), 5, 0, 0);
  shard.flush();
  shard.reopen();
  EXPECT_EQ(shard->find(id_of_numbers(3, 3))->lane_number, 0U);
  shard->set_lane(id_of_numbers(3, 3), 65535, ~std::uint64_t{0});
  shard.flush();
  shard.reopen();
  EXPECT_EQ(shard->size(), 1000U);
  const auto found = shard->find(id_of_numbers(3, 3));
  EXPECT_EQ(found->lane_partition, 65535);
  EXPECT_EQ(found->lane_number, ~std::uint64_t{0});
  EXPECT_EQ(found->substance, substance_of_number(3));
  EXPECT_EQ(shard->find(id_of_numbers(4, 4))->lane_number, 0U);
}

TEST(IdBuckets, DroppedDaysLeaveNoRowAndMayBeginAnew) {
  Shard shard;
  for (std::int64_t day = 0; day < 4; ++day)
    for (std::uint64_t n = 0; n < 200; ++n)
      shard->add(id_of_numbers(static_cast<std::uint64_t>(day), n), {}, day, 0, 1);
  shard.flush();
  shard->drop_before(3);
  EXPECT_EQ(shard->size(), 200U);
  shard->add(id_of_numbers(77, 77), {}, 1, 0, 9);
  EXPECT_FALSE(shard->find(id_of_numbers(1, 0)).has_value());
  EXPECT_EQ(shard->find(id_of_numbers(77, 77))->lane_number, 9U);
  shard.flush();
  EXPECT_EQ(shard.rows().size(), 3U);  // two of day 3, one of day 1
  shard.reopen();
  EXPECT_EQ(shard->size(), 201U);
  shard->drop_before(100);
  shard.flush();
  EXPECT_TRUE(shard.rows().empty());
}

// The same inputs, flushed and reopened at other places, against a std::map: same answers, same rows.
class IdBucketsHistory : public testing::TestWithParam<unsigned> {};

TEST_P(IdBucketsHistory, AgreesWithAMapWhereverItIsFlushed) {
  std::mt19937_64 random(GetParam());
  Shard often(1);
  Shard once(1000);
  std::map<Id16, IdBuckets::Entry> expected;
  std::int64_t first_day = 0;
  for (int step = 0; step < 6000; ++step) {
    // Few fingerprints, so that they collide all the time.
    const Id16 id = id_of_numbers(random() % 40, random() % 60);
    const std::uint64_t action = random() % 1000;
    const auto known = expected.find(id);
    const auto found = often->find(id);
    ASSERT_EQ(found.has_value(), known != expected.end());
    ASSERT_EQ(once->find(id).has_value(), known != expected.end());
    if (known != expected.end()) {
      ASSERT_EQ(found->lane_number, known->second.lane_number);
      ASSERT_EQ(found->day, known->second.day);
      ASSERT_EQ(found->substance, known->second.substance);
    }
    if (action < 3) {
      first_day += 1 + static_cast<std::int64_t>(random() % 2);
      often->drop_before(first_day);
      once->drop_before(first_day);
      std::erase_if(expected, [&](const auto& item) { return item.second.day < first_day; });
    } else if (known == expected.end()) {
      const IdBuckets::Entry entry{substance_of_number(random()), static_cast<std::uint16_t>(random()), random(),
                                   first_day + static_cast<std::int64_t>(random() % 4)};
      often->add(id, entry.substance, entry.day, entry.lane_partition, entry.lane_number);
      once->add(id, entry.substance, entry.day, entry.lane_partition, entry.lane_number);
      expected.emplace(id, entry);
    } else if (action < 300) {
      known->second.lane_number = random();
      often->set_lane(id, 7, known->second.lane_number);
      once->set_lane(id, 7, known->second.lane_number);
    }
    ASSERT_EQ(often->size(), expected.size());
    if (action % 5 == 0) often.flush();
    if (action % 500 == 0) often.flush(), often.reopen();
  }
  often.flush();
  once.flush();
  EXPECT_GT(expected.size(), 100U);
  EXPECT_EQ(often.rows(), once.rows());
}

INSTANTIATE_TEST_SUITE_P(Seeds, IdBucketsHistory, testing::Values(1U, 2U, 3U, 4U));

}  // namespace
}  // namespace granary::machine
