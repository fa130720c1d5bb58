#include "shared/journal/memory_journal.h"

#include <gtest/gtest.h>

#include <vector>

namespace granary::journal {
namespace {

const Partition kPartition{"usage", 0};
const Error kError{ErrorCode::unavailable, "ordered by the test"};

class MemoryJournalTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(journal_.create_topic({"usage", 2}).ok()); }

  void append(const Bytes& value, const Partition& partition = kPartition) {
    journal_.append(partition, {{value, "", {}}}, [this, value](const Result<Offsets>& offset) {
      answers_.push_back(value + (offset.ok() ? " " + std::to_string(offset->front()) : " failed"));
    });
  }

  std::vector<Bytes> stored() {
    ReadBatch batch;
    EXPECT_TRUE(journal_.read(kPartition, 0, 1 << 20, batch).ok());
    std::vector<Bytes> values;
    for (const Record& record : batch.records) values.push_back(record.value);
    return values;
  }

  MemoryJournal journal_;
  std::vector<std::string> answers_;
};

using Texts = std::vector<std::string>;

TEST_F(MemoryJournalTest, AnAppendThatFailsBeforeTheWriteLeavesNothing) {
  journal_.fail_next_append(kPartition, MemoryJournal::Fault::before_write, kError);
  append("other", {"usage", 1});
  append("a");
  append("b");
  EXPECT_EQ(answers_, (Texts{"other 0", "a failed", "b 0"}));
  EXPECT_EQ(stored(), (Texts{"b"}));
}

TEST_F(MemoryJournalTest, AnAppendThatFailsAfterTheWriteStandsAllTheSame) {
  journal_.fail_next_append(kPartition, MemoryJournal::Fault::after_write, kError);
  append("a");
  append("b");
  EXPECT_EQ(answers_, (Texts{"a failed", "b 1"}));
  EXPECT_EQ(stored(), (Texts{"a", "b"}));
}

TEST_F(MemoryJournalTest, WhatIsHeldBackIsNeitherSeenNorAnsweredUntilItIsReleased) {
  journal_.delay(kPartition);
  append("a");
  append("b");
  append("c");
  append("other", {"usage", 1});
  EXPECT_EQ(answers_, (Texts{"other 0"}));
  EXPECT_EQ(stored(), Texts{});
  EXPECT_TRUE(journal_.release_one(kPartition));
  EXPECT_EQ(stored(), (Texts{"a"}));
  journal_.release(kPartition);
  append("d");
  EXPECT_EQ(answers_, (Texts{"other 0", "a 0", "b 1", "c 2", "d 3"}));
  EXPECT_FALSE(journal_.release_one(kPartition));
}

TEST_F(MemoryJournalTest, ATruncatedPartitionIsShorterThanItsReadersKnow) {
  append("a");
  append("b");
  journal_.truncate(kPartition, 1);
  EXPECT_EQ(stored(), (Texts{"a"}));
  ReadBatch batch;
  EXPECT_EQ(journal_.read(kPartition, 2, 1, batch).error().code, ErrorCode::conflict);
}

TEST_F(MemoryJournalTest, ACrashForgetsWhatWasHeldAndKeepsWhatWasWritten) {
  int told = 0;
  journal_.set_listener([&](const Partition&) { ++told; });
  append("a");
  journal_.delay(kPartition);
  append("b");
  journal_.fail_next_append(kPartition, MemoryJournal::Fault::before_write, kError);
  journal_.crash();
  append("c");
  EXPECT_EQ(answers_, (Texts{"a 0", "c 1"}));
  EXPECT_EQ(stored(), (Texts{"a", "c"}));
  EXPECT_EQ(told, 1);
}

TEST_F(MemoryJournalTest, ACallbackThatAppendsIsAnsweredAfterItHasReturned) {
  journal_.append(kPartition, {{"a", "", {}}}, [this](const Result<Offsets>&) {
    append("b");
    answers_.push_back("a returns");
  });
  EXPECT_EQ(answers_, (Texts{"a returns", "b 1"}));
}

}  // namespace
}  // namespace granary::journal
