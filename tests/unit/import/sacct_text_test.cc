#include <gtest/gtest.h>

#include <set>

#include "tests/unit/import/import_support.h"

namespace granary::import {
namespace {

const Options kSacct{.format = Format::sacct, .time_zone = "UTC"};
const std::string kHeader = "JobID|Cluster|Account|User|QOS|Partition|State|Start|End|ElapsedRaw|AllocTRES\n";

Options trusting() {
  Options options = kSacct;
  options.trusts_text = true;
  return options;
}

Options in_zone(const std::string& zone) {
  Options options = kSacct;
  options.time_zone = zone;
  return options;
}

TEST(SacctText, AnAllocationIsItsTrackableResourcesAndStepsAreNone) {
  const auto file =
      read_text(kHeader +
                    "81234|aif1|lab|u1|normal|gpu|CANCELLED by 1000|2026-10-31T23:30:00|2026-11-01T00:30:00|3600|"
                    "billing=9,cpu=4,energy=7,gres/gpu:a100=2,gres/gpu=2,mem=2252800K,node=1,license/x=2\n"
                    "81234.batch|aif1|lab||||COMPLETED|2026-10-31T23:30:00|2026-11-01T00:30:00|3600|cpu=4\n"
                    "70_7|aif1|lab|u1|normal|gpu|COMPLETED|2026-10-31T23:30:00|2026-11-01T00:30:00|3600|cpu=1,mem=1."
                    "50G,gres/gpu=1\n"
                    "90+1|aif1|lab|u1|normal|gpu|COMPLETED|2026-10-31T23:30:00|2026-11-01T00:30:00|3600|mem=500\n",
                kSacct);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.rows.size(), 3U);
  const UsageRow& row = file.sink.rows[0];
  EXPECT_EQ(row.id, "81234/2026-10-31T23:30:00Z");
  EXPECT_EQ(row.source, "slurm://aif1");
  EXPECT_EQ(row.state, "CANCELLED");
  EXPECT_EQ(resources_of(row), "cpu=4 gpu:a100=2 memory=2306867200 node=1");
  EXPECT_EQ(row.end_ms - row.start_ms, 3'600'000);
  EXPECT_EQ(file.sink.rows[1].id, "70_7/2026-10-31T23:30:00Z");
  EXPECT_EQ(resources_of(file.sink.rows[1]), "cpu=1 gpu=1 memory=1610612736");
  ASSERT_EQ(file.sink.notes.size(), 1U);
  EXPECT_EQ(words_of(file.sink.notes[0]), "81234 unmapped license/x");
  EXPECT_EQ(file.sink.rows[2].id, "90+1/2026-10-31T23:30:00Z");
  EXPECT_EQ(resources_of(file.sink.rows[2]), "memory=524288000");
  EXPECT_EQ(file.summary->steps, 1U);
  EXPECT_EQ(file.summary->rows(), 4U);
}

// Runs and sizes of a job share its id, and none of them its start.
TEST(SacctText, ARowNamesItsJobAndTheBlockOfNodesThatItRanIn) {
  const auto file = read_text(
      "JobID|Cluster|Account|Reservation|State|Start|End|AllocTRES\n"
      "70_7|aif1|lab|maintenance|REQUEUED|2026-10-31T20:30:00|2026-10-31T21:30:00|cpu=1\n"
      "70_7|aif1|lab||COMPLETED|2026-10-31T23:30:00|2026-11-01T00:30:00|cpu=1\n",
      kSacct);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.rows.size(), 2U);
  for (const UsageRow& row : file.sink.rows) {
    EXPECT_EQ(row.job, "70_7");
    EXPECT_TRUE(row.has_runs);
  }
  EXPECT_NE(file.sink.rows[0].id, file.sink.rows[1].id);
  EXPECT_EQ(file.sink.rows[0].advance_reservation, "maintenance");
  EXPECT_EQ(file.sink.rows[1].advance_reservation, "");
}

TEST(SacctText, WithoutTresTheAllocatedCpusCountAndTheClusterIsAskedFor) {
  const std::string text =
      "JobID|Account|State|Start|End|AllocCPUS|AllocTRES\n"
      "1|lab|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|2|\n"
      "2|lab|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|2|billing=2\n"
      "3|lab|CANCELLED|2026-01-01T00:00:00|2026-01-01T00:00:00|2|\n";  // never ran: 2 is what it asked for
  EXPECT_NE(refusal_of(text, kSacct).find("say it with --cluster"), std::string::npos);
  Options options = kSacct;
  options.cluster = "aif1";
  const auto file = read_text(text, options);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  EXPECT_EQ(resources_of(file.sink.rows[0]), "cpu=2");
  EXPECT_EQ(file.sink.rows[0].source, "slurm://aif1");
  EXPECT_EQ(file.summary->skipped.at("no_resources"), 2U);
}

TEST(SacctText, SkippedJobsSayWhyAndWhere) {
  const auto file = read_text(kHeader +
                                  "1_[2-9]|a|lab|u|q|p|PENDING|Unknown|Unknown|0|\n"
                                  "2|a|lab|u|q|p|RUNNING|2026-01-01T00:00:00|Unknown|9|cpu=1\n"
                                  "3|a|lab|u|q|p|CANCELLED|None|2026-01-01T00:00:00|0|\n"
                                  "4|a|lab|u|q|p|CANCELLED|2026-01-01T00:00:00|2026-01-01T00:00:00|0|\n",
                              kSacct);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.skips.size(), 4U);
  EXPECT_EQ(file.sink.skips[0].reason, "never_started");
  EXPECT_EQ(file.sink.skips[1].reason, "still_running");
  EXPECT_EQ(file.sink.skips[2].reason, "never_started");
  EXPECT_EQ(file.sink.skips[3].reason, "no_resources");
  EXPECT_EQ(file.sink.skips[3].line, 5U);
}

TEST(SacctText, AResizedJobIsOneUsageForEachSize) {
  // As recorded from Slurm 22.05: three nodes for 6 s, then one; both records show the first start.
  const auto file = read_text(
      "JobID|Cluster|Account|State|Submit|Start|End|AllocTRES\n"
      "32|aif1|lab|RESIZING|2026-11-24T00:22:48|2026-11-24T00:22:48|2026-11-24T00:22:54|cpu=3,node=3\n"
      "32|aif1|lab|COMPLETED|2026-11-24T00:22:54|2026-11-24T00:22:48|2026-11-24T00:23:18|cpu=1,node=1\n",
      kSacct);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.rows.size(), 2U);
  EXPECT_EQ(file.sink.rows[0].id, "32/2026-11-24T00:22:48Z");
  EXPECT_EQ(file.sink.rows[1].id, "32/2026-11-24T00:22:54Z");
  EXPECT_EQ(file.sink.rows[1].end_ms - file.sink.rows[1].start_ms, 24'000);
}

std::string paris_row(const std::string& start, const std::string& end, const std::string& elapsed) {
  return kHeader + "1|a|lab|u|q|p|COMPLETED|" + start + "|" + end + "|" + elapsed + "|cpu=1\n";
}

TEST(SacctText, LocalTimesAreThoseOfTheZone) {
  const std::string text = paris_row("2026-07-01T12:00:00", "2026-12-01T12:00:00", "1");
  const auto paris = read_text(text, in_zone("Europe/Paris"));
  ASSERT_TRUE(paris.summary.ok()) << paris.summary.error().message;
  EXPECT_EQ(paris.sink.rows[0].id, "1/2026-07-01T10:00:00Z");
  EXPECT_EQ(paris.sink.rows[0].end_ms, 1'796'122'800'000);  // 11:00 UTC
  EXPECT_EQ(read_text(text, kSacct).sink.rows[0].id, "1/2026-07-01T12:00:00Z");
  EXPECT_NE(refusal_of(text, in_zone("Europe/Atlantis")).find("got 'Europe/Atlantis'"), std::string::npos);
}

TEST(SacctText, ALocalTimeThatWasTwiceIsToldByTheElapsedTimeElseTheEarliest) {
  // Clocks went from 03:00 back to 02:00 on 2026-10-25, at 01:00 UTC.
  struct Case {
    const char *start, *end, *elapsed, *start_utc;
    std::int64_t seconds;
    const char* note;
  };
  for (const Case& c : {
           Case{"2026-10-25T02:30:00", "2026-10-25T03:30:00", "7200", "00:30:00Z", 7200, ""},
           Case{"2026-10-25T02:30:00", "2026-10-25T03:30:00", "3600", "01:30:00Z", 3600, ""},
           Case{"2026-10-25T02:30:00", "2026-10-25T03:30:00", "5000", "00:30:00Z", 7200,
                "1 ambiguous_time Start"},  // was suspended
           Case{"2026-10-25T02:30:00", "2026-10-25T02:40:00", "600", "00:30:00Z", 600, ""},
           Case{"2026-10-25T02:30:00", "2026-10-25T02:40:00", "4200", "00:30:00Z", 4200, ""},
           Case{"2026-10-25T02:50:00", "2026-10-25T02:10:00", "", "00:50:00Z", 1200, "1 ambiguous_time Start"},
       }) {
    const auto file = read_text(paris_row(c.start, c.end, c.elapsed), in_zone("Europe/Paris"));
    ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
    const UsageRow& row = file.sink.rows[0];
    EXPECT_EQ(row.id, std::string("1/2026-10-25T") + c.start_utc) << c.elapsed;
    EXPECT_EQ(row.end_ms - row.start_ms, c.seconds * 1000) << c.elapsed;
    EXPECT_EQ(file.sink.notes.empty() ? "" : words_of(file.sink.notes[0]), c.note) << c.elapsed;
  }
}

// Whether rows of a job's id, state, submission, eligibility, start and end look cut.
std::string cut_of(const std::string& rows) {
  const auto file = read_text("JobID|Cluster|Account|State|Submit|Eligible|Start|End|AllocTRES\n" + rows, kSacct);
  EXPECT_TRUE(file.summary.ok()) << file.summary.error().message;
  return file.summary->cut ? words_of(*file.summary->cut) : "whole";
}

TEST(SacctText, AnExportThatSacctTruncatedIsKnownByItsEdges) {
  const std::string midnight = "2026-11-01T00:00:00|";
  const std::string before = "2026-10-31T20:00:00|";
  const std::string after = "2026-11-01T03:00:00|";
  EXPECT_EQ(cut_of("1|a|lab|COMPLETED|" + before + before + midnight + after + "cpu=1\n"), "1 cut Start");
  EXPECT_EQ(cut_of("1|a|lab|FAILED|" + before + ("|" + midnight) + after + "cpu=1\n"), "1 cut Start");
  EXPECT_EQ(cut_of("1|a|lab|COMPLETED|" + before + before + before + midnight + "cpu=1\n"), "1 cut End");
  EXPECT_EQ(cut_of("7|a|lab|RUNNING|" + before + before + before + after + "cpu=1\n"), "7 cut End");
  // It was told to begin then; it was submitted then; another began before; a site ends jobs at midnight.
  EXPECT_EQ(cut_of("1|a|lab|COMPLETED|" + before + midnight + midnight + after + "cpu=1\n"), "whole");
  EXPECT_EQ(cut_of("1|a|lab|COMPLETED|" + midnight + midnight + midnight + after + "cpu=1\n"), "whole");
  EXPECT_EQ(cut_of("1|a|lab|COMPLETED|" + before + before + midnight + after + "cpu=1\n2|a|lab|FAILED|" + before +
                   before + before + after + "cpu=1\n"),
            "whole");
  EXPECT_EQ(cut_of("1|a|lab|CANCELLED|" + before + before + before + midnight + "cpu=1\n"), "whole");
  EXPECT_EQ(cut_of("1|a|lab|RUNNING|" + before + before + before + "Unknown|cpu=1\n"), "whole");
}

// Rows of completed jobs of so many numbers from `first` on, submitted and eligible long before.
std::string completed(int first, int count, const std::string& start, const std::string& end) {
  std::string rows;
  for (int job = first; job < first + count; ++job) {
    rows += std::to_string(job) + "|a|lab|COMPLETED|2026-10-31T20:00:00|2026-10-31T20:00:00|" + start + "|" + end +
            "|cpu=1\n";
  }
  return rows;
}

TEST(SacctText, ABusySiteWhoseJobsStartAndEndEachSecondHasSomeAtMidnight) {
  const std::string before = "2026-10-31T23:00:00";
  const std::string second_before = "2026-10-31T23:59:59";
  const std::string midnight = "2026-11-01T00:00:00";
  const std::string second_after = "2026-11-01T00:00:01";
  const std::string after = "2026-11-01T03:00:00";
  // Some of many is chance, more than a minute's are those that ran; whatever order the rows have.
  EXPECT_EQ(cut_of(completed(1, 2, before, second_before) + completed(3, 2, before, midnight)), "whole");
  EXPECT_EQ(cut_of(completed(3, 2, before, midnight) + completed(1, 2, before, second_before)), "whole");
  EXPECT_EQ(cut_of(completed(1, 2, before, second_before) + completed(3, 3, before, midnight)), "3 cut End");
  EXPECT_EQ(cut_of(completed(3, 3, before, midnight) + completed(1, 2, before, second_before)), "3 cut End");
  EXPECT_EQ(cut_of(completed(1, 2, midnight, after) + completed(3, 2, second_after, after)), "whole");
  EXPECT_EQ(cut_of(completed(1, 3, midnight, after) + completed(4, 2, second_after, after)), "1 cut Start");
  // A minute away is not near; the components of a heterogeneous job are one.
  EXPECT_EQ(cut_of(completed(1, 2, before, "2026-10-31T23:58:59") + completed(3, 1, before, midnight)), "3 cut End");
  const std::string component =
      "|a|lab|COMPLETED|2026-10-31T20:00:00|2026-10-31T20:00:00|" + before + "|" + midnight + "|cpu=1\n";
  EXPECT_EQ(cut_of(completed(1, 1, before, second_before) + "3+0" + component + "3+1" + component), "whole");
}

std::string detail_of_cut(const std::string& columns, const std::string& row) {
  const auto file = read_text("JobID|Cluster|Account|State|" + columns + "AllocTRES\n1|a|lab|COMPLETED|" + row, kSacct);
  EXPECT_TRUE(file.summary.ok()) << file.summary.error().message;
  return file.summary->cut ? file.summary->cut->detail : "whole";
}

TEST(SacctText, OfAJobThatStartsAtMidnightNothingIsConcludedThatTheFileDoesNotSay) {
  const std::string job = "2026-11-01T00:00:00|2026-11-01T03:00:00|cpu=1\n";
  const std::string counts = " (jobs at that instant: 1, in the minute within: 0)";
  EXPECT_EQ(detail_of_cut("Start|End|", job), "whole");
  EXPECT_EQ(detail_of_cut("Submit|Start|End|", "Unknown|" + job), "whole");
  EXPECT_EQ(detail_of_cut("Submit|Eligible|Start|End|", "2026-10-31T23:59:59|2026-10-31T23:59:59|" + job), "whole");
  EXPECT_EQ(detail_of_cut("Submit|Start|End|", "2026-10-31T20:00:00|" + job),
            "the file's first start is at midnight, and the job was submitted before" + counts);
  EXPECT_EQ(detail_of_cut("Submit|Eligible|Start|End|", "2026-10-31T20:00:00|2026-10-31T21:00:00|" + job),
            "the file's first start is at midnight, and the job was eligible to begin before" + counts);
}

TEST(SacctText, AStartIsToldAsReckonedOnlyIfItIsUsed) {
  const std::string header = "JobID|Cluster|Account|State|Start|End|ElapsedRaw|AllocTRES\n";
  // It would be before 1970; the job has no account; all of it holds.
  const auto file = read_text(header +
                                  "1|a|lab|CANCELLED|Unknown|2026-01-01T03:00:00|1999999999|cpu=1\n"
                                  "2|a||COMPLETED|Unknown|2026-01-01T03:00:00|3600|cpu=1\n"
                                  "3|a|lab|COMPLETED|Unknown|2026-01-01T03:00:00|3600|cpu=1\n",
                              kSacct);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.skips.size(), 2U);
  EXPECT_EQ(words_of(file.sink.skips[0]), "1 never_started Start");
  EXPECT_EQ(words_of(file.sink.skips[1]), "2 no_account Account");
  ASSERT_EQ(file.sink.notes.size(), 1U);
  EXPECT_EQ(words_of(file.sink.notes[0]), "3 start_reckoned Start");
}

TEST(SacctText, WithoutSubmitAFileOfAResizedJobSaysThatItsSizesMustBeInOneFile) {
  const std::string resizing = "2026-01-01T01:00:00|2026-01-01T02:00:00|3600|cpu=2\n";
  const std::string rows = "5|a|lab|RESIZING|" + resizing + "6|a|lab|RESIZING|" + resizing;
  const auto file = read_text("JobID|Cluster|Account|State|Start|End|ElapsedRaw|AllocTRES\n" + rows, kSacct);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.notes.size(), 1U) << "once in a file";
  EXPECT_EQ(words_of(file.sink.notes[0]), "5 column_missing Submit");
  EXPECT_EQ(file.sink.notes[0].line, 2U);
  const auto with_submit = read_text(
      "JobID|Cluster|Account|State|Submit|Start|End|ElapsedRaw|AllocTRES\n5|a|lab|RESIZING|2026-01-01T01:00:00|" +
          resizing,
      kSacct);
  EXPECT_TRUE(with_submit.sink.notes.empty());
}

TEST(SacctText, SuspendedTimeDoesNotCountWhicheverColumnTellsIt) {
  struct Case {
    const char *elapsed, *suspended;
    std::int64_t ran_s;  // 0: all of the interval
  };
  for (const Case& c : {Case{"3600", "01:00:00", 3600}, Case{"3600", "", 3600}, Case{"", "00:30:00", 5400},
                        Case{"7200", "00:00:00", 0}, Case{"", "", 0}, Case{"0", "00:00:00", 0}, Case{"9000", "", 0}}) {
    const auto file = read_text(
        "JobID|Cluster|Account|State|Start|End|ElapsedRaw|Suspended|AllocTRES\n1|a|lab|COMPLETED|"
        "2026-01-01T01:00:00|2026-01-01T03:00:00|" +
            std::string(c.elapsed) + "|" + c.suspended + "|cpu=1\n",
        kSacct);
    ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
    ASSERT_EQ(file.sink.rows.size(), 1U) << c.elapsed;
    EXPECT_EQ(file.sink.rows[0].ran_ms.value_or(0), c.ran_s * 1000) << c.elapsed << " " << c.suspended;
    EXPECT_EQ(file.sink.rows[0].end_ms - file.sink.rows[0].start_ms, 7'200'000);
  }
}

TEST(SacctText, RecordsOfAResizedJobNeedNoOrder) {
  const std::string header = "JobID|Cluster|Account|State|Start|End|AllocTRES\n";
  const std::string start = "|a|lab|RESIZING|2026-01-01T01:00:00|2026-01-01T0";
  const std::string last = "5|a|lab|COMPLETED|2026-01-01T01:00:00|2026-01-01T04:00:00|cpu=1\n";
  for (const std::string& rows : {last + "5" + start + "3:00:00|cpu=2\n5" + start + "2:00:00|cpu=4\n",
                                  "5" + start + "2:00:00|cpu=4\n5" + start + "3:00:00|cpu=2\n" + last}) {
    const auto first = read_text(header + rows, kSacct);
    ASSERT_TRUE(first.summary.ok()) << first.summary.error().message;
    Options options = kSacct;
    options.resizes = &first.summary->resizes;
    const auto file = read_text(header + rows, options);
    ASSERT_EQ(file.sink.rows.size(), 3U);
    std::set<std::string> ids;
    for (const UsageRow& row : file.sink.rows) {
      ids.insert(row.id);
      EXPECT_EQ(row.end_ms - row.start_ms, 3'600'000) << row.id;
    }
    EXPECT_EQ(ids.size(), 3U);
  }
}

TEST(SacctText, ALocalTimeThatNeverWasIsRefusedByLine) {
  const auto message =
      refusal_of(paris_row("2026-03-29T02:30:00", "2026-03-29T03:30:00", "0"), in_zone("Europe/Paris"));
  EXPECT_NE(message.find("line 2, field \"Start\": expected a time that Europe/Paris has, got '2026-03-29T02:30:00'"),
            std::string::npos)
      << message;
}

const std::string kWithTexts = "JobID|JobName|User|Cluster|Account|State|Start|End|AllocTRES|SubmitLine\n";
constexpr const char* kRest = "u1|aif1|lab|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|cpu=2|";

TEST(SacctText, ABarInANameOrCommandIsFoundWhereItsPlaceIsClear) {
  for (const std::string& row :
       {std::string("1|a|b|") + kRest + "srun x\n", std::string("1|a|") + kRest + "srun x | tee y | z\n",
        std::string("1|a|b|c|") + kRest + "srun x | tee\n"}) {
    const auto file = read_text(kWithTexts + row, trusting());
    ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
    ASSERT_EQ(file.sink.rows.size(), 1U);
    EXPECT_EQ(file.sink.rows[0].user, "u1") << row;
    EXPECT_EQ(resources_of(file.sink.rows[0]), "cpu=2");
  }
  // A step needs no splitting.
  EXPECT_EQ(read_text(kWithTexts + "1.0|a|b|c|d|e|f|g|h|i|j|k|l\n", trusting()).summary->steps, 1U);
}

TEST(SacctText, ABarWhosePlaceIsUnclearRefusesTheRow) {
  // The name could be "a" with user "b|..." in the next column of free text, or "a|b" with user "c".
  const auto message = refusal_of(
      "JobID|State|Start|End|Cluster|AllocTRES|JobName|Account|Comment\n"
      "1|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|aif1|cpu=2|a|b|c|d\n",
      trusting());
  EXPECT_NE(message.find("line 2"), std::string::npos) << message;
  EXPECT_NE(message.find("two ways"), std::string::npos) << message;
  EXPECT_NE(message.find("hint: export again without"), std::string::npos) << message;
  const auto no_text =
      refusal_of(kHeader + "1|a|lab|u|q|p|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|10|cpu=1|x\n", kSacct);
  EXPECT_NE(no_text.find("expected 11 fields, got 12"), std::string::npos) << no_text;
}

TEST(SacctText, ARowThatIsNoneRefusesTheFileByLineFieldAndValue) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"1|a|lab\n", "line 2, field \"row\": expected as many fields as the header has"},
      {"x|a|lab|u|q|p|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|10|cpu=1\n",
       "field \"JobID\": expected a job's number, got 'x'"},
      {"1|a|lab|u|q|p|DONE|2026-01-01T00:00:00|2026-01-01T00:00:10|10|cpu=1\n",
       "field \"State\": expected a state of Slurm, got 'DONE'"},
      {"1|a|lab|u|q|p|COMPLETED|2026-02-30T00:00:00|2026-03-01T00:00:10|10|cpu=1\n",
       "field \"Start\": expected a time such as"},
      {"1|a|lab|u|q|p|COMPLETED|2026-01-01T00:00:00|01/02-00:00|10|cpu=1\n", "field \"End\": expected a time such as"},
      {"1|a|lab|u|q|p|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|10|cpu=two\n",
       "field \"AllocTRES\": expected resources"},
      {"1|a|lab|u|q|p|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|10|mem=9999999P\n", "field \"AllocTRES\""},
      {"1|a|lab|u|q|p|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|10|cpu=1,cpu=1\n", "field \"AllocTRES\""},
  };
  for (const auto& [row, words] : cases) {
    const std::string message = refusal_of(kHeader + row, kSacct);
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_NE(message.find("hint:"), std::string::npos) << message;
  }
}

TEST(SacctText, AHeaderThatLacksAColumnIsRefused) {
  EXPECT_NE(refusal_of("JobID|State|Start|End|Account\n", kSacct).find("a column AllocTRES"), std::string::npos);
  EXPECT_NE(refusal_of("JobID|State|Start|Account|AllocTRES\n", kSacct).find("a column End"), std::string::npos);
  EXPECT_NE(refusal_of("JobID|JobID|State\n", kSacct).find("each column once"), std::string::npos);
  EXPECT_NE(refusal_of("{}", kSacct).find("JSON"), std::string::npos);
}

TEST(SacctText, ALastRowThatIsCutIsTruncatedNotWrong) {
  const std::string row = "1|a|lab|u|q|p|COMPLETED|2026-01-01T00:00:00|2026-01-01T00:00:10|10|cpu=16";
  for (std::size_t size = 1; size <= row.size(); ++size) {
    const auto file = read_text(kHeader + row + "\n" + row.substr(0, size), kSacct);
    ASSERT_TRUE(file.summary.ok()) << size << file.summary.error().message;
    EXPECT_TRUE(file.summary->truncated) << size;
    EXPECT_EQ(file.sink.rows.size(), 1U) << size;
  }
  // A last column that is not used, or that shows a cut, needs no line end.
  const auto unused = read_text(kWithTexts + "1|a|" + kRest + "srun", trusting());
  EXPECT_FALSE(unused.summary->truncated);
  EXPECT_EQ(unused.sink.rows.size(), 1U);
  const std::string by_state =
      "JobID|Cluster|Account|Start|End|AllocTRES|State\n1|a|lab|2026-01-01T00:00:00|2026-01-01T00:00:10|cpu=1|COMPLE";
  EXPECT_TRUE(read_text(by_state, kSacct).summary->truncated);
  EXPECT_FALSE(read_text(by_state + "TED", kSacct).summary->truncated);
}

}  // namespace
}  // namespace granary::import
