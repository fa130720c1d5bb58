#include <gtest/gtest.h>

#include "tests/unit/import/import_support.h"

namespace granary::import {
namespace {

const Options kOpenb{.format = Format::openb, .epoch_ms = 1'000'000, .file_sha256 = "f00"};
const std::string kHeader =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n";

TEST(Openb, APodIsGpusFromScheduledToDeleted) {
  const auto file = read_text("# generated\n# twice\n" + kHeader +
                                  "pod-1,6000,12288,1,460,,LS,Running,7,100,10\n"
                                  "\"pod,\"\"2\"\"\",6000,12288,8,1000,,BE,Failed,7,20,11\r\n",
                              kOpenb);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.rows.size(), 2U);
  const UsageRow& row = file.sink.rows[0];
  EXPECT_EQ(row.line, 4U);
  EXPECT_EQ(row.id, "pod-1");
  EXPECT_EQ(row.source, "urn:granary:import:f00:openb;epoch=1970-01-01T00:16:40Z");
  EXPECT_EQ(row.qos, "LS");
  EXPECT_EQ(resources_of(row), "gpu=0.46");
  EXPECT_EQ(row.start_ms, 1'010'000);
  EXPECT_EQ(row.end_ms, 1'100'000);
  EXPECT_EQ(file.sink.rows[1].id, "pod,\"2\"");
  EXPECT_EQ(resources_of(file.sink.rows[1]), "gpu=8");
}

TEST(Openb, WhatIsNotCountedIsTold) {
  const auto file = read_text(kHeader + "a,1,1,1,1000,,,Running,0,9,1\nb,1,1,1,1000,,q\xe9,Running,0,9,1\n", kOpenb);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  EXPECT_TRUE(file.sink.rows.empty());
  ASSERT_EQ(file.sink.skips.size(), 1U);
  EXPECT_EQ(words_of(file.sink.skips[0]), "a no_qos qos");
  ASSERT_EQ(file.sink.refusals.size(), 1U);
  EXPECT_EQ(words_of(file.sink.refusals[0]), "b not_utf8 qos");
  ASSERT_EQ(file.sink.notes.size(), 2U);
  EXPECT_EQ(words_of(file.sink.notes[0]), "column_unmapped cpu_milli");
  EXPECT_EQ(words_of(file.sink.notes[1]), "column_unmapped memory_mib");
}

TEST(Openb, ThousandthsStayExact) {
  const auto file = read_text(
      kHeader + "a,1,1,3,333,,LS,Running,0,9,1\nb,1,1,1,50,,LS,Running,0,9,1\nc,1,1,2,500,,LS,Running,0,9,1\n", kOpenb);
  ASSERT_EQ(file.sink.rows.size(), 3U);
  EXPECT_EQ(resources_of(file.sink.rows[0]), "gpu=0.999");
  EXPECT_EQ(resources_of(file.sink.rows[1]), "gpu=0.05");
  EXPECT_EQ(resources_of(file.sink.rows[2]), "gpu=1");
}

TEST(Openb, SkippedRowsSayWhyAndWhere) {
  const auto file = read_text(kHeader +
                                  "a,1,1,0,0,,LS,Pending,0,9,\n"
                                  "b,1,1,0,0,,LS,Running,0,9,1\n"
                                  "c,1,1,1,1000,,LS,Running,0,,1\n",
                              kOpenb);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  ASSERT_EQ(file.sink.skips.size(), 3U);
  EXPECT_EQ(file.sink.skips[0].reason, "never_scheduled");
  EXPECT_EQ(file.sink.skips[1].reason, "no_quantity");
  EXPECT_EQ(file.sink.skips[1].line, 3U);
  EXPECT_EQ(file.sink.skips[2].reason, "still_running");
}

TEST(Openb, ColumnsAreFoundByName) {
  const auto file =
      read_text("qos,scheduled_time,deletion_time,creation_time,gpu_milli,num_gpu,name\nBE,1,2,0,1000,2,x\n", kOpenb);
  ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
  EXPECT_EQ(resources_of(file.sink.rows[0]), "gpu=2");
  EXPECT_NE(refusal_of("sn,cpu_milli,memory_mib,gpu,model\nn1,1,1,2,P100\n", kOpenb).find("a column named name"),
            std::string::npos);
  EXPECT_NE(refusal_of("name,name,num_gpu,gpu_milli,qos,creation_time,deletion_time,scheduled_time\n", kOpenb)
                .find("each column once"),
            std::string::npos);
}

TEST(Openb, ARowThatIsNoneRefusesTheFile) {
  const auto few = refusal_of(kHeader + "a,1,1,1,1000\nb,1,1,1,1000,,LS,Running,0,9,1\n", kOpenb);
  EXPECT_NE(few.find("line 2, field \"row\": expected 11 fields, got 5"), std::string::npos) << few;
  const auto word = refusal_of(kHeader + "a,1,1,many,1000,,LS,Running,0,9,1\n", kOpenb);
  EXPECT_NE(word.find("line 2, field \"num_gpu\": expected an integer from 0 to 1000000, got 'many'"),
            std::string::npos)
      << word;
  const auto quote = refusal_of(kHeader + "a\"b,1,1,1,1000,,LS,Running,0,9,1\n", kOpenb);
  EXPECT_NE(quote.find("quotes"), std::string::npos) << quote;
  EXPECT_NE(refusal_of(kHeader + ",1,1,1,1000,,LS,Running,0,9,1\n", kOpenb).find("pod's name"), std::string::npos);
  EXPECT_NE(refusal_of(kHeader + "a,1,1,1,1000,,LS,Running,0,9,1.5\n", kOpenb).find("'1.5'"), std::string::npos);
  EXPECT_NE(refusal_of("[1]", kOpenb).find("JSON"), std::string::npos);
}

TEST(Openb, ALastRowThatIsCutIsTruncatedNotWrong) {
  const std::string good = "a,1,1,1,1000,,LS,Running,500,900,700";
  EXPECT_FALSE(read_text(kHeader + good, kOpenb).summary->truncated);
  // Cut anywhere in the last row: in the last number too, which becomes smaller than the creation, or nothing.
  for (std::size_t size = 1; size < good.size(); ++size) {
    const auto file = read_text(kHeader + good + "\n" + good.substr(0, size), kOpenb);
    ASSERT_TRUE(file.summary.ok()) << file.summary.error().message;
    EXPECT_TRUE(file.summary->truncated) << size;
    EXPECT_EQ(file.sink.rows.size(), 1U) << size;
  }
  EXPECT_TRUE(read_text(kHeader + good + "\n\"a,1", kOpenb).summary->truncated);
}

}  // namespace
}  // namespace granary::import
