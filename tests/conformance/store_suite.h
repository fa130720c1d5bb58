// The laws of derived state's port, for every door: include this in one .cc of a test program and instantiate
//
//   INSTANTIATE_TEST_SUITE_P(Name, StoreConformance, testing::Values(StoreDoor{"Name", factory}));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "shared/store/store.h"

namespace granary::store {

// A store and what is needed around it, new for each test.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  // Ends the present store as a clean stop of the process does, and opens what it wrote.
  virtual void reopen() = 0;
};

struct StoreDoor {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

inline void PrintTo(const StoreDoor& door, std::ostream* out) {
  *out << door.name;
}

using Rows = std::vector<std::pair<Bytes, Bytes>>;

class StoreConformance : public testing::TestWithParam<StoreDoor> {
 protected:
  void SetUp() override { under_test_ = GetParam().make(); }

  Store& store() { return under_test_->store(); }

  void must_commit(const WriteSet& changes) {
    const auto committed = store().commit(changes);
    ASSERT_TRUE(committed.ok()) << committed.error().message;
  }
  void must_put(const Rows& rows) {
    WriteSet changes;
    for (const auto& [key, value] : rows) changes.put(key, value);
    must_commit(changes);
  }

  static Rows scan(const View& view, BytesView from = "", BytesView to = "", std::size_t rows_max = SIZE_MAX) {
    Rows rows;
    view.scan(from, to, [&](BytesView key, BytesView value) {
      rows.emplace_back(key, value);
      return rows.size() < rows_max;
    });
    return rows;
  }

  std::unique_ptr<StoreUnderTest> under_test_;
};

TEST_P(StoreConformance, RowsComeBackAndOthersAreAbsent) {
  EXPECT_EQ(store().get("a"), std::nullopt);
  EXPECT_EQ(scan(store()), Rows{});
  const Bytes large(300'000, 'x');
  const Bytes odd("\0\xff", 2);
  must_put({{"a", "1"}, {"empty", ""}, {odd, odd}, {"large", large}});
  EXPECT_EQ(store().get("a"), "1");
  EXPECT_EQ(store().get("empty"), "");
  EXPECT_EQ(store().get(odd), odd);
  EXPECT_EQ(store().get("large"), large);
  EXPECT_EQ(store().get("b"), std::nullopt);
  EXPECT_EQ(store().get(""), std::nullopt);
}

TEST_P(StoreConformance, ACommitOverwritesAndErases) {
  must_put({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  WriteSet changes;
  changes.put("a", "one");
  changes.erase("b");
  changes.erase("never there");
  must_commit(changes);
  EXPECT_EQ(scan(store()), (Rows{{"a", "one"}, {"c", "3"}}));
  must_commit(WriteSet());
  EXPECT_EQ(scan(store()), (Rows{{"a", "one"}, {"c", "3"}}));
}

TEST_P(StoreConformance, WhatIsPersistedIsThereAndTakesMore) {
  ASSERT_TRUE(store().persist().ok()) << "nothing was committed yet";
  must_put({{"a", "1"}});
  ASSERT_TRUE(store().persist().ok());
  must_put({{"b", "2"}});
  EXPECT_EQ(scan(store()), (Rows{{"a", "1"}, {"b", "2"}}));
  under_test_->reopen();
  EXPECT_EQ(scan(store()), (Rows{{"a", "1"}, {"b", "2"}}));
}

TEST_P(StoreConformance, TheLaterChangeOfAKeyWins) {
  must_put({{"erased", "old"}});
  WriteSet changes;
  changes.put("twice", "1");
  changes.put("twice", "2");
  changes.put("gone", "1");
  changes.erase("gone");
  changes.erase("erased");
  changes.put("erased", "back");
  must_commit(changes);
  EXPECT_EQ(scan(store()), (Rows{{"erased", "back"}, {"twice", "2"}}));
}

TEST_P(StoreConformance, ScansGoInTheOrderOfUnsignedBytesOverAHalfOpenRange) {
  const Bytes zero("\0", 1);
  const Bytes high("\xff", 1);
  must_put({{high, "high"}, {"b", "2"}, {"a", "1"}, {"ab", "1b"}, {zero, "zero"}, {"\x7f", "del"}, {"\x80", "top"}});
  EXPECT_EQ(
      scan(store()),
      (Rows{{zero, "zero"}, {"a", "1"}, {"ab", "1b"}, {"b", "2"}, {"\x7f", "del"}, {"\x80", "top"}, {high, "high"}}));
  EXPECT_EQ(scan(store(), "a", "b"), (Rows{{"a", "1"}, {"ab", "1b"}}));
  EXPECT_EQ(scan(store(), "aa", "b0"), (Rows{{"ab", "1b"}, {"b", "2"}}));
  EXPECT_EQ(scan(store(), "\x80"), (Rows{{"\x80", "top"}, {high, "high"}}));
  EXPECT_EQ(scan(store(), "b", "a"), Rows{});
  EXPECT_EQ(scan(store(), "a", "a"), Rows{});
}

TEST_P(StoreConformance, AScanStopsWhereItIsToldTo) {
  must_put({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  EXPECT_EQ(scan(store(), "", "", 1), (Rows{{"a", "1"}}));
  EXPECT_EQ(scan(store(), "b", "", 2), (Rows{{"b", "2"}, {"c", "3"}}));
}

TEST_P(StoreConformance, ASnapshotStandsStill) {
  must_put({{"a", "1"}, {"b", "2"}});
  const auto before = store().snapshot();
  WriteSet changes;
  changes.put("a", "changed");
  changes.erase("b");
  changes.put("c", "new");
  must_commit(changes);
  const auto after = store().snapshot();
  must_put({{"d", "newer"}});
  EXPECT_EQ(scan(*before), (Rows{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(before->get("a"), "1");
  EXPECT_EQ(before->get("c"), std::nullopt);
  EXPECT_EQ(scan(*after), (Rows{{"a", "changed"}, {"c", "new"}}));
  EXPECT_EQ(scan(store()), (Rows{{"a", "changed"}, {"c", "new"}, {"d", "newer"}}));
}

TEST_P(StoreConformance, ASnapshotIsReadOnAnotherThreadAndIsAlwaysOneWholeCommit) {
  must_put({{"a", "0"}, {"z", "0"}});
  for (int round = 1; round <= 50; ++round) {
    const auto snapshot = store().snapshot();
    std::thread reader([&snapshot, round] {
      const Bytes expected = std::to_string(round - 1);
      EXPECT_EQ(scan(*snapshot), (Rows{{"a", expected}, {"z", expected}}));
      EXPECT_EQ(snapshot->get("z"), expected);
    });
    must_put({{"a", std::to_string(round)}, {"z", std::to_string(round)}});
    reader.join();
  }
}

TEST_P(StoreConformance, ASnapshotIsTakenOnAnotherThreadAndIsAlwaysOneWholeCommit) {
  must_put({{"a", "0"}, {"z", "0"}});
  constexpr int kCommits = 200;
  std::thread reader([this] {
    for (int newest = 0; newest < kCommits;) {
      const auto snapshot = store().snapshot();
      const auto a = snapshot->get("a");
      ASSERT_TRUE(a.has_value());
      ASSERT_EQ(snapshot->get("z"), a);
      ASSERT_GE(std::stoi(*a), newest);
      newest = std::stoi(*a);
    }
  });
  for (int round = 1; round <= kCommits; ++round)
    must_put({{"a", std::to_string(round)}, {"z", std::to_string(round)}});
  reader.join();
}

TEST_P(StoreConformance, ReopeningKeepsWhatWasCommitted) {
  must_put({{"a", "1"}, {"b", "2"}});
  WriteSet changes;
  changes.erase("a");
  changes.put("c", "3");
  must_commit(changes);
  under_test_->reopen();
  EXPECT_EQ(scan(store()), (Rows{{"b", "2"}, {"c", "3"}}));
  must_put({{"d", "4"}});
  under_test_->reopen();
  EXPECT_EQ(scan(store()), (Rows{{"b", "2"}, {"c", "3"}, {"d", "4"}}));
}

}  // namespace granary::store
