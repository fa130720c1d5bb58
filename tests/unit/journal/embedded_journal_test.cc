// What the embedded journal promises beyond the port.
#include "shared/journal/embedded_journal.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <limits>

#include "shared/journal/embedded_head.h"
#include "tests/support/temp_directory.h"

namespace granary::journal {
namespace {

const Partition kPartition{"usage", 0};

std::unique_ptr<Journal> must_open(const std::string& directory, EmbeddedOptions options = {}) {
  auto opened = open_embedded_journal(directory, std::move(options));
  GRANARY_CHECK(opened.ok(), opened.error().message);
  return std::move(*opened);
}

TEST(EmbeddedJournal, ASecondOpenerIsToldOfTheDirectory) {
  const testing_support::TempDirectory directory;
  auto first = must_open(directory / "journal");
  const auto second = open_embedded_journal(directory / "journal");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_NE(second.error().message.find(directory / "journal"), std::string::npos) << second.error().message;
  first.reset();
  EXPECT_TRUE(open_embedded_journal(directory / "journal").ok());
}

TEST(EmbeddedJournal, MakesItsDirectoryWithTheOnesAboveIt) {
  const testing_support::TempDirectory directory;
  must_open(directory / "a/b/journal/");
  EXPECT_EQ(*read_head(directory / "a/b/journal"), Head{});
}

TEST(EmbeddedJournal, ADirectoryThatCannotBeMadeIsAnError) {
  const testing_support::TempDirectory directory;
  must_open(directory / "journal");
  const auto opened = open_embedded_journal(directory / "journal/HEAD/below");  // below a file
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::io_error);
}

TEST(EmbeddedJournal, BelowTheReserveNothingIsWrittenAndLaterItGoesOn) {
  const testing_support::TempDirectory directory;
  std::atomic<std::uint64_t> free_bytes = 1000;
  EmbeddedOptions options;
  options.reserve_bytes = 1000;
  options.free_bytes = [&](const std::string&) { return Result<std::uint64_t>(free_bytes.load()); };
  auto journal = must_open(directory.path(), options);
  ASSERT_TRUE(journal->create_topic({"usage", 1}).ok());
  ASSERT_TRUE(append_and_wait(*journal, kPartition, {{"a", "", {}}}).ok());
  const auto head = *read_head(directory.path());

  free_bytes = 999;
  for (int times = 0; times < 2; ++times) {
    const auto refused = append_and_wait(*journal, kPartition, {{"b", "", {}}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::out_of_space);
  }
  EXPECT_EQ(journal->create_topic({"ledger", 1}).error().code, ErrorCode::out_of_space);
  EXPECT_EQ(*journal->end(kPartition), 1U);
  EXPECT_EQ(*read_head(directory.path()), head);

  free_bytes = 1000;
  const auto again = append_and_wait(*journal, kPartition, {{"c", "", {}}});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, 1U);
}

TEST(EmbeddedJournal, TheReserveIsComparedWithTheDiskOfTheDirectory) {
  const testing_support::TempDirectory directory;
  EmbeddedOptions options;
  options.reserve_bytes = std::numeric_limits<std::uint64_t>::max();
  const auto refused = must_open(directory.path(), options)->create_topic({"usage", 1});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::out_of_space);
}

TEST(EmbeddedJournal, ClosingWritesAndAnswersWhatWaits) {
  const testing_support::TempDirectory directory;
  constexpr Offset kAppends = 2000;
  std::atomic<Offset> answered = 0;
  auto journal = must_open(directory.path());
  ASSERT_TRUE(journal->create_topic({"usage", 1}).ok());
  for (Offset i = 0; i < kAppends; ++i)
    journal->append(kPartition, {{std::to_string(i), "", {}}}, [&](const Result<Offsets>& offset) {
      if (offset.ok() && offset->front() == answered) ++answered;
    });
  journal.reset();
  EXPECT_EQ(answered, kAppends);
  journal = must_open(directory.path());
  EXPECT_EQ(*journal->end(kPartition), kAppends);
  ReadBatch batch;
  ASSERT_TRUE(journal->read(kPartition, kAppends - 1, 1, batch).ok());
  EXPECT_EQ(batch.records[0].value, std::to_string(kAppends - 1));
}

TEST(EmbeddedJournal, AppendsThatWaitTogetherShareAGroup) {
  const testing_support::TempDirectory directory;
  auto journal = must_open(directory.path());
  ASSERT_TRUE(journal->create_topic({"usage", 1}).ok());
  std::promise<void> entered, released;
  journal->append(kPartition, {{"first", "", {}}}, [&](const Result<Offsets>&) {
    entered.set_value();
    released.get_future().wait();  // the journal's thread stands still, so that what follows has to wait
  });
  entered.get_future().wait();
  const auto before = read_head(directory.path())->group;
  for (int i = 0; i < 50; ++i) journal->append(kPartition, {{"one of fifty", "", {}}}, [](const Result<Offsets>&) {});
  released.set_value();
  journal.reset();
  EXPECT_EQ(read_head(directory.path())->group, before + 1);
  EXPECT_EQ(*must_open(directory.path())->end(kPartition), 51U);
}

}  // namespace
}  // namespace granary::journal
