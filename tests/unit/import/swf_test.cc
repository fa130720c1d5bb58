#include <gtest/gtest.h>

#include "tests/unit/import/import_support.h"

namespace granary::import {
namespace {

const Options kSwf{.format = Format::swf, .file_sha256 = "f00"};
constexpr const char* kHeader = "; Version: 2.2\n; UnixStartTime: 1000000\n";

TEST(Swf, AJobIsProcessorsFromSubmitAndWaitForItsRunTime) {
  const auto file =
      read_text(std::string(kHeader) + "  7  100  50  3600  128 -1 -1 256 -1 -1 1 12 3 -1 -1 -1 -1 -1\r\n", kSwf);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.rows.size(), 1U);
  const UsageRow& row = file.sink.rows[0];
  EXPECT_EQ(row.line, 3U);
  EXPECT_EQ(row.id, "7");
  EXPECT_EQ(row.source, "urn:granary:import:f00:swf;from=group");
  EXPECT_EQ(row.group, "3");
  EXPECT_EQ(row.user, "12");
  EXPECT_EQ(resources_of(row), "cpu=128");
  EXPECT_EQ(row.start_ms, 1'000'150'000);
  EXPECT_EQ(row.end_ms, 1'003'750'000);
  EXPECT_EQ(row.state, "COMPLETED");
  EXPECT_EQ(file.summary->start_ms_min, 1'000'150'000);
  EXPECT_EQ(file.summary->end_ms_max, 1'003'750'000);
}

TEST(Swf, MemoryThatIsNotCountedIsToldOnce) {
  const auto file = read_text(
      "1 0 0 5 1 -1 -1 1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n2 0 0 5 1 -1 -1 1 -1 512.5 1 1 1 -1 -1 -1 -1 -1\n"
      "3 0 0 5 1 -1 -1 1 -1 512 1 1 1 -1 -1 -1 -1 -1\n",
      kSwf);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.notes.size(), 1U);
  EXPECT_EQ(file.sink.notes[0].line, 2U);
  EXPECT_EQ(words_of(file.sink.notes[0]), "column_unmapped 10 memory asked");
}

TEST(Swf, JobsWhoseGroupIsNotKnownAreNotOneProject) {
  const std::string text =
      "1 0 0 5 1 -1 -1 -1 -1 -1 1 7 -1 -1 -1 -1 -1 -1\n2 0 0 5 1 -1 -1 -1 -1 -1 1 -1 3 -1 -1 -1 -1 -1\n";
  const auto by_group = read_text(text, kSwf);
  ASSERT_TRUE(by_group.summary.ok()) << by_group.summary.error().message;
  ASSERT_EQ(by_group.sink.skips.size(), 1U);
  EXPECT_EQ(words_of(by_group.sink.skips[0]), "1 no_group 13 group");
  Options by_user = kSwf;
  by_user.project_from = ProjectFrom::user;
  const auto file = read_text(text, by_user);
  ASSERT_EQ(file.sink.skips.size(), 1U);
  EXPECT_EQ(words_of(file.sink.skips[0]), "2 no_user 12 user");
}

TEST(Swf, UnknownWaitIsZeroAskedProcessorsStandInAndMoreFieldsAreIgnored) {
  const auto file = read_text("5 2000 -1 10 -1 -1 -1 4 -1 -1 5 1 1 -1 -1 -1 -1 -1 {1,2} q_1d a:b\n", kSwf);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  EXPECT_EQ(file.sink.rows[0].start_ms, 2'000'000);
  EXPECT_EQ(resources_of(file.sink.rows[0]), "cpu=4");
  EXPECT_EQ(file.sink.rows[0].state, "CANCELLED");
}

TEST(Swf, SkippedRowsSayWhyAndWhere) {
  const auto file = read_text(
      "1 0 0 0 8 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1\n"
      "2 0 0 -1 8 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1\n"
      "3 0 0 5 0 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1\n",
      kSwf);
  ASSERT_TRUE(file.summary.ok());
  ASSERT_EQ(file.sink.skips.size(), 3U);
  EXPECT_EQ(file.sink.skips[0].reason, "no_run_time");
  EXPECT_EQ(file.sink.skips[1].line, 2U);
  EXPECT_EQ(file.sink.skips[2].reason, "no_processors");
  EXPECT_EQ(file.summary->skipped.at("no_run_time"), 2U);
  EXPECT_EQ(file.summary->usages, 0U);
  EXPECT_EQ(file.summary->rows(), 3U);
  EXPECT_FALSE(file.summary->end_ms_max.has_value());
}

TEST(Swf, ANumberThatComesAgainIsToldApartByItsLine) {
  const std::string job = " 0 0 5 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n";
  const auto file = read_text("4" + job + "9" + job + "4" + job + "9" + job + "10" + job, kSwf);
  std::vector<std::string> ids;
  for (const UsageRow& row : file.sink.rows) ids.push_back(row.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"4", "9", "4@3", "9@4", "10"}));
}

TEST(Swf, TheShiftMovesTimesAndNotIds) {
  Options options = kSwf;
  const std::string text = "4 0 0 5 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n";
  const auto first = read_text(text, options);
  options.shift_ms = 90'000 - *first.summary->end_ms_max;
  const auto second = read_text(text, options);
  EXPECT_EQ(second.summary->end_ms_max, 90'000);
  EXPECT_EQ(second.sink.rows[0].start_ms, 85'000);
  EXPECT_EQ(second.sink.rows[0].id, first.sink.rows[0].id);
}

TEST(Swf, ARowThatIsNoneRefusesTheFileByLineFieldAndValue) {
  const std::string good = "1 0 0 5 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n";
  const auto few = refusal_of(good + "2 0 0 5\n", kSwf);
  EXPECT_NE(few.find("line 2, field \"row\": expected 18 fields, got 4"), std::string::npos) << few;
  EXPECT_NE(few.find("hint:"), std::string::npos);
  const auto word = refusal_of(good + "2 0 0 soon 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n", kSwf);
  EXPECT_NE(word.find("line 2, field \"4 run time\": expected a number (-1: unknown), got 'soon'"), std::string::npos)
      << word;
  const auto part = refusal_of(good + "2 0 0 1.5 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n", kSwf);
  EXPECT_NE(part.find("got '1.5'"), std::string::npos) << part;
  const auto late = refusal_of(good + "; UnixStartTime: 5\n", kSwf);
  EXPECT_NE(late.find("above the first job"), std::string::npos) << late;
  const auto large = refusal_of("1 253402300799 0 5 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n", kSwf);
  EXPECT_NE(large.find("year 10000"), std::string::npos) << large;
  // A field that is not used may have a fraction: some archives average the CPU time.
  EXPECT_EQ(refusal_of("1 0 0 5 1 0.25 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n", kSwf), "");
}

TEST(Swf, AnotherKindOfFileIsRefused) {
  EXPECT_NE(refusal_of("{\"jobs\": []}", kSwf).find("got 'JSON'"), std::string::npos);
  EXPECT_NE(refusal_of("\n<!DOCTYPE html>\n", kSwf).find("HTML"), std::string::npos);
  EXPECT_NE(refusal_of("name,num_gpu\n", kSwf), "");
  EXPECT_NE(refusal_of("one line and no more", kSwf), "");
}

TEST(Swf, ALastRowThatIsCutIsTruncatedNotWrong) {
  const std::string good = "1 0 0 5 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n";
  const auto cut = read_text(good + "2 0 0 5 1 -1", kSwf);
  ASSERT_TRUE(cut.summary.ok()) << cut.summary.error().message;
  EXPECT_TRUE(cut.summary->truncated);
  EXPECT_EQ(cut.sink.rows.size(), 1U);
  const auto whole = read_text(good + good.substr(0, good.size() - 1), kSwf);
  EXPECT_FALSE(whole.summary->truncated);
  EXPECT_EQ(whole.sink.rows.size(), 2U);
}

TEST(Swf, ACutArchiveYieldsItsWholeRows) {
  std::string text;
  for (int i = 1; i <= 5000; ++i)
    text += std::to_string(i) + " " + std::to_string(i * i) + " 0 5 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n";
  const std::string stored = gzip_of(text);
  const auto file = read_text(std::string_view(stored).substr(0, stored.size() / 2), kSwf);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  EXPECT_TRUE(file.summary->truncated);
  ASSERT_GT(file.sink.rows.size(), 1000U);
  const UsageRow& last = file.sink.rows.back();
  const auto count = static_cast<std::int64_t>(file.sink.rows.size());
  EXPECT_EQ(last.start_ms, count * count * 1000);
}

TEST(Swf, TheSinksErrorEndsTheReading) {
  class FullSink : public KeepingSink {
   public:
    Result<void> on_row(const UsageRow&) override { return Error{ErrorCode::unavailable, "no server"}; }
  };
  const TempFolder folder;
  auto input = Input::open(folder.file("f", "1 0 0 5 1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1 -1\n"));
  FullSink sink;
  EXPECT_EQ(read(*input, kSwf, sink).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace granary::import
