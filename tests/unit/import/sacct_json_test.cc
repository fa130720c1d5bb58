#include <gtest/gtest.h>

#include "tests/unit/import/import_support.h"

namespace granary::import {
namespace {

const Options kJson{.format = Format::sacct_json};

// A job in the layout of Slurm 25.05 (data_parser v0.0.43), as far as it is used.
std::string job_25(const std::string& id, const std::string& state, const std::string& start, const std::string& end,
                   const std::string& allocated) {
  return R"({"account":"lab","array":{"job_id":)" + id +
         R"(,"task_id":{"set":false,"infinite":false,"number":0},"task":""},"cluster":"aif1","group":"g1",)" +
         R"("het":{"job_id":0,"job_offset":{"set":false,"infinite":false,"number":0}},"job_id":)" + id +
         R"(,"name":"a \"]}{[ b","partition":"gpu","qos":"normal","reservation":{"id":0,"name":"","requested":""},)" +
         R"("state":{"current":[")" + state +
         R"("],"reason":"None"},"steps":[{"nested":[1,{"a":2}]}],"tres":{"allocated":[)" + allocated +
         R"(]},"time":{"start":)" + start + R"(,"end":)" + end + R"(},"user":"u1"})";
}
const std::string kTres =
    R"({"type":"cpu","name":"","id":1,"count":4},{"type":"mem","name":"","id":2,"count":8192},)"
    R"({"type":"node","name":"","id":4,"count":1},{"type":"billing","name":"","id":5,"count":9},)"
    R"({"type":"energy","name":"","id":3,"count":18446744073709551614},)"
    R"({"type":"gres","name":"gpu","id":1001,"count":2},{"type":"gres","name":"gpu:a100","id":1002,"count":2})";

std::string document(const std::string& jobs) {
  return "{\n  \"jobs\": [\n" + jobs + "\n  ],\n  \"meta\": {\"slurm\": {}},\n  \"errors\": [], \"warnings\": []\n}\n";
}

// 2026-10-31T23:30:00Z to 00:30:00Z.
constexpr const char* kStart = "1793489400";
constexpr const char* kEnd = "1793493000";

TEST(SacctJson, AnAllocationIsItsTrackableResources) {
  const auto file = read_text(document(job_25("81234", "COMPLETED", kStart, kEnd, kTres)), kJson);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.rows.size(), 1U);
  const UsageRow& row = file.sink.rows[0];
  EXPECT_EQ(row.line, 3U);
  EXPECT_EQ(row.id, "81234/2026-10-31T23:30:00Z");
  EXPECT_EQ(row.source, "slurm://aif1");
  EXPECT_EQ(resources_of(row), "cpu=4 gpu:a100=2 memory=8589934592 node=1");
  EXPECT_EQ(row.start_ms, 1'793'489'400'000);
  EXPECT_EQ(row.end_ms, 1'793'493'000'000);
  EXPECT_EQ(row.state, "COMPLETED");
  EXPECT_EQ(row.account + row.user + row.group + row.cluster + row.qos + row.partition + row.advance_reservation,
            "labu1g1aif1normalgpu");
  EXPECT_EQ(row.job, "81234");
  EXPECT_TRUE(row.has_runs);
}

TEST(SacctJson, UntypedGpusStandWhereNoTypedOneDoes) {
  const auto file =
      read_text(document(job_25("1", "FAILED", kStart, kEnd,
                                R"({"type":"gres","name":"gpu","count":2},{"type":"gres","name":"shard","count":8})")),
                kJson);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  EXPECT_EQ(resources_of(file.sink.rows[0]), "gpu=2");
}

TEST(SacctJson, TheLayoutOfSlurm2205IsReadToo) {
  const auto file = read_text(
      R"({"meta":{"plugin":{"type":"openapi\/dbv0.0.38"}},"errors":[],"jobs":[{"account":"lab","array":{"job_id":70,"task":null,)"
      R"("task_id":7},"cluster":"aif1","het":{"job_id":0,"job_offset":null},"job_id":77,"reservation":{"id":0,"name":0},)"
      R"("state":{"current":"TIMEOUT","reason":"None"},"time":{"start":1793489400,"end":1793493000},)"
      R"("tres":{"allocated":[{"type":"cpu","name":null,"id":1,"count":2},{"type":"energy","name":null,"id":3,"count":null},{"type":"mem","name":null,"id":2,"count":500}]},)"
      R"("user":null},{"account":"lab","array":{"job_id":0,"task_id":4294967294},"cluster":"aif1","het":{"job_id":90,)"
      R"("job_offset":1},"job_id":91,"state":{"current":"COMPLETED"},"time":{"start":1793489400,"end":1793493000},)"
      R"("tres":{"allocated":[{"type":"node","name":null,"count":1}]}}]})",
      kJson);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.rows.size(), 2U);
  EXPECT_EQ(file.sink.rows[0].id, "70_7/2026-10-31T23:30:00Z");
  EXPECT_EQ(file.sink.rows[0].state, "TIMEOUT");
  EXPECT_EQ(resources_of(file.sink.rows[0]), "cpu=2 memory=524288000");
  EXPECT_EQ(file.sink.rows[1].id, "90+1/2026-10-31T23:30:00Z");
}

TEST(SacctJson, ArrayTasksAndHetComponentsOf2505HaveTheSameIds) {
  std::string array = job_25("77", "COMPLETED", kStart, kEnd, kTres);
  const std::string unset = R"("task_id":{"set":false,"infinite":false,"number":0})";
  array.replace(array.find(unset), unset.size(), R"("task_id":{"set":true,"infinite":false,"number":0})");
  std::string het = job_25("91", "COMPLETED", kStart, kEnd, kTres);
  const std::string none = R"("het":{"job_id":0,"job_offset":{"set":false)";
  het.replace(het.find(none), none.size(), R"("het":{"job_id":90,"job_offset":{"set":true)");
  const auto file = read_text(document(array + "," + het), kJson);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  EXPECT_EQ(file.sink.rows[0].id, "77_0/2026-10-31T23:30:00Z");
  EXPECT_EQ(file.sink.rows[1].id, "90+0/2026-10-31T23:30:00Z");
}

TEST(SacctJson, AResizedJobStartsWhenItGotThisSize) {
  std::string resized = job_25("32", "COMPLETED", kStart, kEnd, kTres);
  const std::string times = std::string(R"("start":)") + kStart;
  resized.replace(resized.find(times), times.size(), times + R"(,"submission":1793489460)");
  const auto file = read_text(document(resized), kJson);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  EXPECT_EQ(file.sink.rows[0].id, "32/2026-10-31T23:31:00Z");
  EXPECT_EQ(file.sink.rows[0].start_ms, 1'793'489'460'000);
}

TEST(SacctJson, SkippedJobsSayWhyAndWhere) {
  const auto file = read_text(
      document(job_25("1", "PENDING", "0", "0", "") + ",\n" + job_25("2", "RUNNING", kStart, "0", kTres) + ",\n" +
               job_25("3", "RUNNING", kStart, kEnd, kTres) + ",\n" + job_25("4", "COMPLETED", kStart, kEnd, "") +
               ",\n" + job_25("5", "COMPLETED", kStart, kEnd, R"({"type":"billing","name":"","count":3})")),
      kJson);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.skips.size(), 5U);
  EXPECT_EQ(file.sink.skips[0].reason, "never_started");
  EXPECT_EQ(file.sink.skips[1].reason, "still_running");
  EXPECT_EQ(file.sink.skips[2].reason, "still_running");  // sacct --truncate shows an end
  EXPECT_EQ(file.sink.skips[3].reason, "no_resources");
  EXPECT_EQ(file.sink.skips[3].line, 6U);
  EXPECT_EQ(file.sink.skips[4].reason, "no_resources");
}

TEST(SacctJson, TheShiftMovesTimesAndNotIds) {
  Options options = kJson;
  options.shift_ms = -1000;
  const auto file = read_text(document(job_25("1", "COMPLETED", kStart, kEnd, kTres)), options);
  EXPECT_EQ(file.sink.rows[0].id, "1/2026-10-31T23:30:00Z");
  EXPECT_EQ(file.sink.rows[0].start_ms, 1'793'489'399'000);
}

TEST(SacctJson, TheClusterGivenStandsForTheOneRecorded) {
  Options options = kJson;
  options.cluster = "other";
  const auto file = read_text(document(job_25("1", "COMPLETED", kStart, kEnd, kTres)), options);
  EXPECT_EQ(file.sink.rows[0].source, "slurm://other");
  EXPECT_EQ(file.sink.rows[0].cluster, "other");
}

TEST(SacctJson, WhatIsNoJobRefusesTheFileByLineFieldAndValue) {
  const std::string good = job_25("1", "COMPLETED", kStart, kEnd, kTres) + ",\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {job_25("\"x\"", "COMPLETED", kStart, kEnd, kTres),
       "line 4, field \"/jobs/1/job_id\": expected a job's number, got 'x'"},
      {job_25("2", "COMPLETED", "\"soon\"", kEnd, kTres), "field \"/jobs/1/time/start\": expected seconds"},
      {job_25("2", "COMPLETED", kStart, "1.5", kTres), "field \"/jobs/1/time/end\": expected seconds"},
      {job_25("2", "", kStart, kEnd, kTres), "field \"/jobs/1/state/current\": expected a state"},
      {job_25("2", "COMPLETED", kStart, kEnd, R"({"type":"cpu","name":"","count":"4"})"),
       "field \"/jobs/1/tres/allocated/0/count\""},
      {job_25("2", "COMPLETED", kStart, kEnd, kTres + "," + kTres), "each resource once"},
      {"[]", "field \"/jobs/1\": expected a job, got 'array'"},
      {R"({"job_id":1,"job_id":2})", "each name once"},
      {R"({"job_id":1,})", "line 4"},
  };
  for (const auto& [job, words] : cases) {
    const std::string message = refusal_of(document(good + job), kJson);
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_NE(message.find("hint:"), std::string::npos) << message;
  }
  std::string nameless = job_25("1", "COMPLETED", kStart, kEnd, kTres);
  nameless.replace(nameless.find("\"aif1\""), 6, "\"\"");
  EXPECT_NE(refusal_of(document(nameless), kJson).find("--cluster"), std::string::npos);
}

TEST(SacctJson, AnotherKindOfFileIsRefused) {
  for (const std::string text :
       {"1 2 3\n", "<html>", "[]", "{}", "{\"meta\": 1}", "{\"jobs\": 1}", "{\"jobs\": []} more", "{\"jobs\" []}",
        "{\"jobs\": [], \"jobs\": []}", "{\"jobs\": [}", "{1: 2}", "{\"a\"", "{\"jobs\": [] \"meta\": 1}"}) {
    EXPECT_NE(refusal_of(text, kJson), "") << text;
  }
  EXPECT_NE(refusal_of(R"({"jobs": [], "errors": [{"error": "no connection"}]})", kJson).find("/errors"),
            std::string::npos);
  EXPECT_EQ(refusal_of(document(""), kJson), "");
}

TEST(SacctJson, ATextThatIsCutYieldsItsWholeJobs) {
  const std::string text =
      document(job_25("1", "COMPLETED", kStart, kEnd, kTres) + ",\n" + job_25("2", "COMPLETED", kStart, kEnd, kTres));
  const std::size_t first_end = text.find("},\n{") + 1;
  for (std::size_t size = first_end; size + 2 < text.size(); size += 3) {
    const auto file = read_text(text.substr(0, size), kJson);
    ASSERT_TRUE(file.summary.ok()) << size << file.summary.error().message;
    EXPECT_TRUE(file.summary->truncated) << size;
    EXPECT_GE(file.sink.rows.size(), 1U) << size;
  }
  EXPECT_FALSE(read_text(text, kJson).summary->truncated);
}

}  // namespace
}  // namespace granary::import
