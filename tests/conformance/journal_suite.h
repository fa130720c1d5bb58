// The laws of the log's port, for every door: include this in one .cc of a test program and instantiate
//
//   INSTANTIATE_TEST_SUITE_P(Name, JournalConformance, testing::Values(JournalDoor{"Name", factory}));
//
// The factory is the only hole. It may take its time (a broker); the suite never measures time.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "shared/journal/journal.h"

namespace granary::journal {

// A journal and what is needed around it, new for each test.
class JournalUnderTest {
 public:
  virtual ~JournalUnderTest() = default;
  virtual Journal& journal() = 0;
  // Ends the present journal as a clean stop of the process does, and opens what it wrote.
  virtual void reopen() = 0;
  // Stands before each topic's name: for a log that outlives the test.
  virtual std::string prefix() { return ""; }
};

struct JournalDoor {
  std::string name;
  std::function<std::unique_ptr<JournalUnderTest>()> make;
};

inline void PrintTo(const JournalDoor& door, std::ostream* out) {
  *out << door.name;
}

class JournalConformance : public testing::TestWithParam<JournalDoor> {
 protected:
  void SetUp() override {
    under_test_ = GetParam().make();
    topic_ = {under_test_->prefix() + "usage", 3};
    const auto made = journal().create_topic(topic_);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }

  Journal& journal() { return under_test_->journal(); }
  [[nodiscard]] Partition partition(std::uint16_t number) const { return {topic_.name, number}; }

  static Record record(Bytes value) { return {std::move(value), "", {}}; }
  static std::vector<Record> records(std::initializer_list<const char*> values) {
    std::vector<Record> all;
    for (const char* value : values) all.push_back(record(value));
    return all;
  }

  Offset must_append(const Partition& where, std::vector<Record> what) {
    const auto offset = append_and_wait(journal(), where, std::move(what));
    EXPECT_TRUE(offset.ok()) << offset.error().message;
    return offset.ok() ? *offset : ~Offset{0};
  }

  // Everything from `from` on, read in batches of `bytes_max`.
  std::vector<Record> read_all(const Partition& where, Offset from = 0, std::size_t bytes_max = 1 << 20) {
    std::vector<Record> all;
    ReadBatch batch;
    for (;;) {
      const auto read = journal().read(where, from + all.size(), bytes_max, batch);
      EXPECT_TRUE(read.ok()) << read.error().message;
      if (!read.ok() || batch.records.empty()) return all;
      EXPECT_EQ(batch.first, from + all.size());
      all.insert(all.end(), batch.records.begin(), batch.records.end());
    }
  }

  Offset end(const Partition& where) {
    const auto offset = journal().end(where);
    EXPECT_TRUE(offset.ok()) << offset.error().message;
    return offset.ok() ? *offset : ~Offset{0};
  }

  TopicInfo topic_;
  std::unique_ptr<JournalUnderTest> under_test_;
};

TEST_P(JournalConformance, OffsetsAreDenseFromZeroInEachPartition) {
  EXPECT_EQ(end(partition(0)), 0U);
  EXPECT_EQ(must_append(partition(0), records({"a", "b", "c"})), 0U);
  EXPECT_EQ(must_append(partition(1), records({"x"})), 0U);
  EXPECT_EQ(must_append(partition(0), records({"d"})), 3U);
  EXPECT_EQ(must_append(partition(0), records({"e", "f"})), 4U);
  EXPECT_EQ(end(partition(0)), 6U);
  EXPECT_EQ(end(partition(1)), 1U);
  EXPECT_EQ(end(partition(2)), 0U);
  EXPECT_EQ(read_all(partition(0)), records({"a", "b", "c", "d", "e", "f"}));
  EXPECT_EQ(read_all(partition(1)), records({"x"}));
  EXPECT_EQ(read_all(partition(2)), records({}));
}

TEST_P(JournalConformance, AppendsThatDoNotWaitStandInTheOrderOfTheCalls) {
  constexpr std::size_t kAppends = 300;
  std::vector<Result<Offsets>> answers(kAppends, Offsets{});
  std::atomic<std::size_t> left = kAppends;
  std::promise<void> all_answered;
  for (std::size_t i = 0; i < kAppends; ++i) {
    journal().append(partition(0), {record(std::to_string(i)), record("-")}, [&, i](Result<Offsets> answer) {
      answers[i] = std::move(answer);
      if (--left == 0) all_answered.set_value();
    });
  }
  all_answered.get_future().wait();
  const auto stored = read_all(partition(0));
  ASSERT_EQ(stored.size(), 2 * kAppends);
  for (std::size_t i = 0; i < kAppends; ++i) {
    ASSERT_TRUE(answers[i].ok()) << answers[i].error().message;
    EXPECT_EQ(*answers[i], (Offsets{2 * i, 2 * i + 1}));
    EXPECT_EQ(stored[2 * i].value, std::to_string(i));
  }
}

TEST_P(JournalConformance, SeveralThreadsShareAPartitionWithoutMixingTheirAppends) {
  constexpr int kThreads = 4;
  constexpr int kAppends = 40;
  std::mutex mutex;
  std::set<Offset> firsts;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kAppends; ++i) {
        const std::string mark = std::to_string(thread) + ":" + std::to_string(i);
        const Offset first = must_append(partition(1), {record(mark), record(mark), record(mark)});
        const std::lock_guard lock(mutex);
        firsts.insert(first);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto stored = read_all(partition(1));
  ASSERT_EQ(stored.size(), static_cast<std::size_t>(3 * kThreads * kAppends));
  EXPECT_EQ(firsts.size(), static_cast<std::size_t>(kThreads * kAppends));
  std::vector<int> next(kThreads, 0);
  for (std::size_t at = 0; at < stored.size(); at += 3) {
    EXPECT_TRUE(firsts.contains(at));
    const std::string& mark = stored[at].value;
    EXPECT_EQ(stored[at + 1].value, mark);
    EXPECT_EQ(stored[at + 2].value, mark);
    const auto thread = static_cast<std::size_t>(mark[0] - '0');
    EXPECT_EQ(mark, std::to_string(thread) + ":" + std::to_string(next[thread]++));
  }
}

TEST_P(JournalConformance, OneRecordTooLargeRefusesTheWholeAppend) {
  must_append(partition(0), records({"before"}));
  const auto refused =
      append_and_wait(journal(), partition(0), {record("small"), record(Bytes(kRecordBytesMax + 1, 'x')), record("y")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_input);
  EXPECT_EQ(must_append(partition(0), records({"after"})), 1U);
  EXPECT_EQ(read_all(partition(0)), records({"before", "after"}));
}

TEST_P(JournalConformance, TheLargestRecordAndTheEmptyOneComeBack) {
  Bytes large(kRecordBytesMax, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 % 251);
  const std::vector<Record> stored = {record(large), record(""), record(Bytes("\0\xff\n", 3))};
  must_append(partition(0), stored);
  EXPECT_EQ(read_all(partition(0)), stored);
}

TEST_P(JournalConformance, KeyAndHeadersComeBackInOrder) {
  const std::vector<Record> stored = {
      {"value", "key", {{"ce_id", "7-1"}, {"ce_type", ""}, {"ce_id", "twice"}}},
      {"", Bytes("\0k", 2), {}},
      {"no key", "", {{"name", Bytes("\xff\0", 2)}}},
      {"neither", "", {}},
  };
  must_append(partition(2), stored);
  EXPECT_EQ(read_all(partition(2)), stored);
}

TEST_P(JournalConformance, AnAppendOfNothingIsRefused) {
  const auto refused = append_and_wait(journal(), partition(0), {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_input);
  EXPECT_EQ(end(partition(0)), 0U);
}

TEST_P(JournalConformance, AReaderSeesOnlyWhatIsDurableAndAllThatWasAnswered) {
  constexpr Offset kRecords = 400;
  std::thread writer([&] {
    for (Offset i = 0; i < kRecords; i += 2) {
      const Offset first = must_append(partition(0), {record(std::to_string(i)), record(std::to_string(i + 1))});
      EXPECT_EQ(first, i);
      EXPECT_GE(end(partition(0)), i + 2);
    }
  });
  Offset next = 0;
  ReadBatch batch;
  while (next < kRecords) {
    const auto read = journal().read(partition(0), next, 1 << 10, batch);
    if (!read.ok()) {
      ADD_FAILURE() << read.error().message;
      break;
    }
    for (const Record& got : batch.records) EXPECT_EQ(got.value, std::to_string(next++));
    EXPECT_GE(end(partition(0)), next);
  }
  writer.join();
}

TEST_P(JournalConformance, SeveralThreadsReadAPartitionWhereEachOfThemStands) {
  constexpr Offset kRecords = 60;
  std::vector<Record> all;
  for (Offset i = 0; i < kRecords; ++i) all.push_back(record(std::to_string(i)));
  must_append(partition(0), std::move(all));
  std::vector<std::thread> threads;
  for (Offset from = 0; from < 3; ++from) {
    threads.emplace_back([&, from] {
      const auto got = read_all(partition(0), from, 150);
      ASSERT_EQ(got.size(), kRecords - from);
      for (Offset i = from; i < kRecords; ++i) EXPECT_EQ(got[i - from].value, std::to_string(i));
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_P(JournalConformance, ReadsAreBoundedByBytesButNeverEmptyBeforeTheEnd) {
  must_append(partition(0), {record(Bytes(100, 'a')), record(Bytes(100, 'b')), record(Bytes(100, 'c'))});
  ReadBatch batch;
  ASSERT_TRUE(journal().read(partition(0), 0, 250, batch).ok());
  EXPECT_EQ(batch.records.size(), 2U);
  ASSERT_TRUE(journal().read(partition(0), 1, 1, batch).ok());
  ASSERT_EQ(batch.records.size(), 1U);
  EXPECT_EQ(batch.first, 1U);
  EXPECT_EQ(batch.records[0].value, Bytes(100, 'b'));
  EXPECT_GE(batch.end, 2U);
  EXPECT_LE(batch.end, 3U);
  EXPECT_EQ(read_all(partition(0), 0, 1).size(), 3U);
}

// An append of several may be kept as one.
TEST_P(JournalConformance, EveryRecordOfALargeAppendCanBeReadFromItsOwnOffset) {
  std::vector<Record> wanted;
  for (int i = 0; i < 700; ++i)
    wanted.push_back({Bytes(static_cast<std::size_t>(i), static_cast<char>('a' + i % 7)),
                      i % 3 == 0 ? "key " + std::to_string(i) : "",
                      i % 5 == 0 ? Headers{{"name", std::to_string(i)}} : Headers{}});
  must_append(partition(0), std::vector(wanted.begin(), wanted.begin() + 650));
  must_append(partition(0), {wanted[650]});
  must_append(partition(0), std::vector(wanted.begin() + 651, wanted.end()));
  EXPECT_EQ(read_all(partition(0)), wanted);
  ReadBatch batch;
  for (Offset from = 0; from < wanted.size(); from += 13) {
    ASSERT_TRUE(journal().read(partition(0), from, 5'000, batch).ok());
    ASSERT_FALSE(batch.records.empty());
    for (std::size_t i = 0; i < batch.records.size(); ++i) ASSERT_EQ(batch.records[i], wanted[from + i]) << from + i;
  }
}

TEST_P(JournalConformance, AReusedBatchHoldsNothingOfTheReadBefore) {
  must_append(partition(0), {{"a", "key", {{"name", "value"}}}, record("b"), record("c")});
  must_append(partition(1), records({"plain"}));
  ReadBatch batch;
  ASSERT_TRUE(journal().read(partition(0), 0, 1 << 20, batch).ok());
  EXPECT_EQ(batch.records.size(), 3U);
  ASSERT_TRUE(journal().read(partition(1), 0, 1 << 20, batch).ok());
  EXPECT_EQ(batch.records, records({"plain"}));
}

TEST_P(JournalConformance, AtTheEndIsNothingAndBeyondItIsConflict) {
  must_append(partition(0), records({"a", "b"}));
  ReadBatch batch;
  batch.records = records({"old"});
  ASSERT_TRUE(journal().read(partition(0), 2, 1 << 20, batch).ok());
  EXPECT_TRUE(batch.records.empty());
  EXPECT_EQ(batch.first, 2U);
  EXPECT_EQ(batch.end, 2U);
  const auto beyond = journal().read(partition(0), 3, 1 << 20, batch);
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().code, ErrorCode::conflict);
}

TEST_P(JournalConformance, UnknownTopicsAndPartitionsAreNotFound) {
  ReadBatch batch;
  for (const Partition& unknown : {Partition{topic_.name + "-unknown", 0}, Partition{topic_.name, 3}}) {
    const auto appended = append_and_wait(journal(), unknown, records({"a"}));
    ASSERT_FALSE(appended.ok());
    EXPECT_EQ(appended.error().code, ErrorCode::not_found);
    const auto read = journal().read(unknown, 0, 1 << 20, batch);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::not_found);
    const auto its_end = journal().end(unknown);
    ASSERT_FALSE(its_end.ok());
    EXPECT_EQ(its_end.error().code, ErrorCode::not_found);
  }
}

TEST_P(JournalConformance, ATopicIsMadeOnceAndItsPartitionsNeverChange) {
  must_append(partition(0), records({"a"}));
  EXPECT_TRUE(journal().create_topic(topic_).ok());
  EXPECT_EQ(read_all(partition(0)), records({"a"}));
  for (const std::uint16_t other : {std::uint16_t{2}, std::uint16_t{4}}) {
    const auto refused = journal().create_topic({topic_.name, other});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  }
  for (const TopicInfo& wrong : {TopicInfo{"", 1}, TopicInfo{topic_.name + "-none", 0}}) {
    const auto refused = journal().create_topic(wrong);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_input);
  }
  const TopicInfo earlier{under_test_->prefix() + "billing", 1};
  ASSERT_TRUE(journal().create_topic(earlier).ok());
  const auto all = journal().topics();
  ASSERT_TRUE(all.ok()) << all.error().message;
  std::vector<TopicInfo> ours;
  for (const TopicInfo& topic : *all)
    if (topic.name.starts_with(under_test_->prefix())) ours.push_back(topic);
  EXPECT_EQ(ours, (std::vector<TopicInfo>{earlier, topic_}));
}

TEST_P(JournalConformance, TheListenerIsToldOfGrowthUntilItIsCleared) {
  std::mutex mutex;
  std::set<Partition> told;
  std::promise<void> both_told;
  bool both = false;
  journal().set_listener([&](const Partition& grown) {
    const std::lock_guard lock(mutex);
    told.insert(grown);
    if (!both && told.contains(partition(0)) && told.contains(partition(2))) {
      both = true;
      both_told.set_value();
    }
  });
  must_append(partition(0), records({"a"}));
  must_append(partition(2), records({"b"}));
  both_told.get_future().wait();
  journal().set_listener(nullptr);
  {
    const std::lock_guard lock(mutex);
    EXPECT_FALSE(told.contains(partition(1)));
    told.clear();
  }
  must_append(partition(1), records({"c"}));
  must_append(partition(1), records({"d"}));  // what was told of the first would be told before this is written
  EXPECT_TRUE(told.empty());
}

TEST_P(JournalConformance, ReopeningKeepsEverythingAndGoesOnWhereItEnded) {
  const TopicInfo second{under_test_->prefix() + "ledger", 2};
  ASSERT_TRUE(journal().create_topic(second).ok());
  const std::vector<Record> first = {{"a", "key", {{"name", "value"}}}, record("b")};
  must_append(partition(0), first);
  must_append(partition(2), records({"c"}));
  must_append({second.name, 1}, records({"d", "e", "f"}));

  for (int times = 0; times < 2; ++times) {
    under_test_->reopen();
    EXPECT_EQ(end(partition(0)), 2U);
    EXPECT_EQ(end(partition(1)), 0U);
    EXPECT_EQ(end(partition(2)), 1U);
    EXPECT_EQ(end({second.name, 0}), 0U);
    EXPECT_EQ(end({second.name, 1}), 3U);
    EXPECT_EQ(read_all(partition(0)), first);
    EXPECT_EQ(read_all({second.name, 1}), records({"d", "e", "f"}));
    EXPECT_TRUE(journal().create_topic(second).ok());
    EXPECT_FALSE(journal().create_topic({second.name, 3}).ok());
  }
  EXPECT_EQ(must_append(partition(0), records({"g"})), 2U);
  EXPECT_EQ(must_append(partition(1), records({"h"})), 0U);
  under_test_->reopen();
  EXPECT_EQ(read_all(partition(0), 2), records({"g"}));
  EXPECT_EQ(read_all(partition(1)), records({"h"}));
}

}  // namespace granary::journal
