// Exports that real systems wrote (tests/data/cases, restated from public bug reports): what each comes to. A row of
// the result is "id resources seconds", with the time that counts if it is less; a remark is "job reason field".
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/unit/import/import_support.h"

namespace granary::import {
namespace {

std::string content_of(const std::string& name) {
  std::ifstream file(GRANARY_SOURCE_DIR "/tests/data/cases/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string text_of(const UsageRow& row) {
  std::string out = row.id + " " + resources_of(row) + " " + std::to_string((row.end_ms - row.start_ms) / 1000);
  if (row.ran_ms) out += " ran " + std::to_string(*row.ran_ms / 1000);
  return out;
}

// As the command reads: a second time, with what the first pass found.
std::vector<std::string> result_of(const std::string& name, Options options) {
  const std::string content = content_of(name);
  const ReadFile first = read_text(content, options);
  if (!first.summary.ok()) return {first.summary.error().message};
  options.resizes = &first.summary->resizes;
  const ReadFile file = read_text(content, options);
  std::vector<std::string> out;
  for (const UsageRow& row : file.sink.rows) out.push_back(text_of(row));
  for (const Remark& remark : file.sink.skips) out.push_back("skipped " + words_of(remark));
  for (const Remark& remark : file.sink.refusals) out.push_back("refused " + words_of(remark));
  for (const Remark& remark : file.sink.notes) out.push_back("noted " + words_of(remark));
  if (file.summary->cut) out.push_back("cut " + words_of(*file.summary->cut));
  return out;
}

const Options kText{.format = Format::sacct, .time_zone = "UTC"};
const Options kTextWithoutZone{.format = Format::sacct};
const Options kJson{.format = Format::sacct_json};

Options without_column_names() {
  Options options = kText;
  options.columns = "JobID,Cluster,Account,User,QOS,Partition,State,Submit,Start,End,ElapsedRaw,AllocTRES";
  return options;
}

Options separated_by(const std::string& delimiter) {
  Options options = kText;
  options.delimiter = delimiter;
  return options;
}

Options trusting() {
  Options options = kText;
  options.trusts_text = true;
  return options;
}

struct Case {
  const char* file;
  Options options;
  std::vector<std::string> result;
};

TEST(Cases, EachComesToItsRightValue) {
  const std::string hour = "/2026-11-02T10:00:00Z ";
  const std::vector<Case> cases{
      // GPUs: `gres/gpu` is the total, and what no type explains is `gpu`.
      {"sacct_gpu_typed_less_than_total.psv", kText, {"1101" + hour + "cpu=4 gpu=1 gpu:a100=1 node=2 3600"}},
      {"json_gpu_typed_less_than_total.json", kJson, {"7" + hour + "cpu=4 gpu=6 gpu:a100=2 3600"}},
      {"sacct_allocgres_old.psv",
       {.format = Format::sacct, .cluster = "aif1", .time_zone = "UTC"},
       {"2701" + hour + "cpu=8 gpu=2 3600", "noted column_missing AllocTRES", "noted column_missing ElapsedRaw"}},
      {"sacct_gpu_shards_and_mig.psv",
       kText,
       {"1201" + hour + "cpu=4 node=1 3600", "1202" + hour + "cpu=4 node=1 3600",
        "1203" + hour + "cpu=4 gpu:a100_1g.5gb=1 node=1 3600", "1204" + hour + "cpu=4 node=1 3600",
        "skipped 1205 no_resources AllocTRES", "noted 1201 unmapped gres/shard", "noted 1202 unmapped gres/shard:a100",
        "noted 1204 unmapped gres/mps", "noted 1205 unmapped gres/shard"}},
      // Units.
      {"sacct_units_G_decimals.psv",
       kText,
       {"1001" + hour + "cpu=4 gpu:a100=1 memory=17179869184 node=1 3600",
        "1002" + hour + "cpu=4 gpu:a100=1 memory=8385923645 node=1 3600", "noted 1002 rounded AllocTRES"}},
      {"sacct_units_T_decimals.psv",
       kText,
       {"1001" + hour + "cpu=4 memory=1605286976553 node=1 3600", "noted 1001 rounded AllocTRES"}},
      {"sacct_units_G_below_one.psv",
       kText,
       {"1001" + hour + "cpu=4 memory=1052266988 node=1 3600", "noted 1001 rounded AllocTRES"}},
      {"sacct_units_G_exact_half.psv", kText, {"1001" + hour + "cpu=4 memory=201326592000 node=1 3600"}},
      {"sacct_alloccpus_4K.psv",
       kText,
       {"2601" + hour + "cpu=4096 3600", "2602" + hour + "cpu=4096 3600", "noted column_missing AllocTRES",
        "noted column_missing ElapsedRaw"}},
      {"sacct_huge.psv", kText, {"2501" + hour + "cpu=1048576 memory=9007199254740992 node=8192 3600"}},
      // Times.
      {"sacct_epoch_times.psv", kTextWithoutZone, {"1401" + hour + "cpu=4 gpu:a100=1 3600"}},
      {"sacct_times_with_offset.psv", kTextWithoutZone, {"1402/2026-11-02T08:00:00Z cpu=4 3600"}},
      {"sacct_unknown_and_negative_times.psv",
       kText,
       {"2003" + hour + "cpu=1 gpu:a100=1 3600", "2005" + hour + "cpu=1 gpu:a100=1 3600",
        "skipped 2001 end_unknown End", "skipped 2002 end_before_start End", "skipped 2004 no_run_time End",
        "noted 2003 start_reckoned Start", "noted 2005 start_reckoned Start"}},
      {"sacct_suspended.psv",
       kText,
       {"2101" + hour + "cpu=1 gpu:a100=4 7200 ran 3600", "noted 2101 suspended Elapsed"}},
      {"json_suspended.json",
       kJson,
       {"10" + hour + "cpu=4 gpu:a100=2 memory=17179869184 7200 ran 3600", "noted 10 suspended /jobs/0/time/elapsed"}},
      {"json_infinite_end.json", kJson, {"skipped 11 end_unknown /jobs/0/time/end"}},
      // Two records of one job with one start.
      {"sacct_resized_without_submit.psv",
       kText,
       {"32/2026-11-24T00:22:48Z cpu=3 gpu:a100=3 node=3 6", "32/2026-11-24T00:22:54Z cpu=1 gpu:a100=1 node=1 24",
        "noted 32 column_missing Submit", "noted 32 overlapping Start"}},
      {"sacct_requeued_same_second.psv", kText, {"77" + hour + "cpu=1 gpu:a100=1 3600", "skipped 77 no_run_time End"}},
      // Parts of jobs.
      {"sacct_T_whole.psv", kText, {"3001/2026-10-31T22:00:00Z cpu=1 gpu:a100=1 18000"}},
      {"sacct_T_november.psv", kText, {"3001/2026-11-01T00:00:00Z cpu=1 gpu:a100=1 10800", "cut 3001 cut Start"}},
      {"sacct_T_october.psv", kText, {"3001/2026-10-31T22:00:00Z cpu=1 gpu:a100=1 7200", "cut 3001 cut End"}},
      // Delimiters and headers.
      {"sacct_delimiter_comma.csv", separated_by(","), {"1501" + hour + "cpu=4 3600"}},
      {"sacct_delimiter_tab.tsv", separated_by("\t"), {"1501" + hour + "cpu=4 3600"}},
      {"sacct_delimiter_semicolon_bar.psv", separated_by(";|;"), {"1501" + hour + "cpu=4 gpu:a100=1 3600"}},
      {"sacct_noheader.psv",
       without_column_names(),
       {"1601" + hour + "cpu=4 gpu:a100=1 3600", "1602" + hour + "cpu=4 gpu:a100=1 3600"}},
      {"sacct_T_whole.psv", without_column_names(), {"3001/2026-10-31T22:00:00Z cpu=1 gpu:a100=1 18000"}},
      {"sacct_concatenated.psv",
       kText,
       {"1701" + hour + "cpu=4 gpu:a100=1 3600", "1702" + hour + "cpu=4 gpu:a100=1 3600"}},
      {"sacct_parsable_trailing_bar.psv", kText, {"1901" + hour + "cpu=4 gpu:a100=1 3600"}},
      {"sacct_bom_crlf.psv", kText, {"1801" + hour + "cpu=4 gpu:a100=1 3600"}},
      {"sacct_pipe_name_and_2K_nodes.psv",
       trusting(),
       {"2201" + hour + "cpu=4 3600", "2202" + hour + "cpu=4096 3600", "noted column_missing ElapsedRaw"}},
      {"sacct_het_and_arrays.psv",
       kText,
       {"7001+0" + hour + "cpu=4 gpu:a100=1 3600", "7001+1" + hour + "cpu=8 3600", "7102_7" + hour + "cpu=1 3600",
        "skipped 7101_[1%1] no_resources AllocTRES", "skipped 7101_[1,3-9,12-40:4%2] no_resources AllocTRES"}},
      // Text that is not UTF-8 stops its own row at most, and makes no two accounts one.
      {"json_latin1_name.json",
       kJson,
       {"13" + hour + "cpu=4 gpu:a100=2 memory=17179869184 3600",
        "14" + hour + "cpu=4 gpu:a100=2 memory=17179869184 3600"}},
      {"json_lone_surrogate.json", kJson, {"21" + hour + "cpu=4 gpu:a100=2 memory=17179869184 3600"}},
      {"json_bom.json", kJson, {"15" + hour + "cpu=4 gpu:a100=2 memory=17179869184 3600"}},
      {"sacct_latin1_two_accounts.psv",
       kText,
       {"refused 4301 not_utf8 Account", "refused 4302 not_utf8 Account", "noted column_missing ElapsedRaw"}},
      {"sacct_latin1_qos_account.psv",
       trusting(),
       {"4013" + hour + "cpu=4 3600", "refused 4011 not_utf8 QOS", "refused 4012 not_utf8 Account",
        "noted column_missing ElapsedRaw"}},
      {"sacct_latin1_jobname.psv",
       trusting(),
       {"4001" + hour + "cpu=4 3600", "4002" + hour + "cpu=4 3600", "noted column_missing ElapsedRaw"}},
      {"sacct_empty_account.psv", kText, {"skipped 1301 no_account Account"}},
      {"sacct_empty_account.psv",
       {.format = Format::sacct, .project_prefix = "hpc", .time_zone = "UTC"},
       {"skipped 1301 no_account Account"}},
      {"json_no_cluster_empty_account.json", kJson, {"skipped 22 no_account /jobs/0/account"}},
      // As they always were.
      {"json_2108.json", kJson, {"1" + hour + "cpu=4 gpu:a100=2 memory=17179869184 3600"}},
      {"json_2302_task_id_object.json", kJson, {"77_3" + hour + "cpu=4 gpu:a100=2 memory=17179869184 3600"}},
      {"json_2311_state_list.json", kJson, {"7001+0" + hour + "cpu=4 gpu:a100=2 memory=17179869184 3600"}},
      {"json_2411_flags.json", kJson, {"4" + hour + "cpu=4 gpu:a100=2 memory=17179869184 3600"}},
      {"json_2411_still_running_unset_end.json", kJson, {"skipped 5 still_running /jobs/0/time/end"}},
      {"json_energy_uint64_max.json", kJson, {"8" + hour + "cpu=4 3600"}},
      {"json_empty_jobs.json", kJson, {}},
  };
  for (const Case& one : cases) {
    ASSERT_FALSE(content_of(one.file).empty()) << one.file;
    EXPECT_EQ(result_of(one.file, one.options), one.result) << one.file;
  }
}

TEST(Cases, WhatIsRefusedSaysWhyAndWhatToDo) {
  struct Refusal {
    const char* file;
    Options options;
    std::vector<const char*> words;
  };
  const std::vector<Refusal> refusals{
      {"sacct_newline_forges_a_row.psv",
       kText,
       {"got 'JobName, SubmitLine'", "export again without JobName, SubmitLine"}},
      {"sacct_newline_in_submitline.psv", kText, {"got 'JobName, SubmitLine'"}},
      {"sacct_newline_in_submitline.psv", trusting(), {"line 3", "as many fields as the header has"}},
      {"sacct_nul_in_name.psv", kText, {"without JobName"}},
      {"sacct_utf16_powershell.psv", kText, {"got 'UTF-16'", "iconv -f UTF-16"}},
      {"json_utf16_powershell.json", kJson, {"got 'UTF-16'", "iconv -f UTF-16"}},
      {"sacct_delimiter_comma.csv", kText, {"separated by ','", "--delimiter ','"}},
      {"sacct_delimiter_tab.tsv", kText, {"--delimiter '\\t'"}},
      {"sacct_delimiter_semicolon_bar.psv", kText, {"--delimiter ';|;'"}},
      {"sacct_noheader.psv", kText, {"it seems to be a job and not a header", "--columns JobID,"}},
      {"sacct_default_columns.txt.psv", kText, {"padded with blanks", "sacct --parsable2"}},
      {"sacct_T_whole.psv", kTextWithoutZone, {"line 2, field \"Start\"", "--time-zone, for instance Europe/Paris"}},
      {"json_squeue.json", kJson, {"field \"/jobs/0/state/current\""}},
      {"json_count_object.json", kJson, {"field \"/jobs/0/tres/allocated/0/count\""}},
      {"json_end_noval.json", kJson, {"field \"/jobs/0/time/end\""}},
      {"json_limit_Infinity.json", kJson, {"field \"/jobs/0/time\""}},
      {"json_dup_key.json", kJson, {"field \"/jobs/0/name\"", "each name once"}},
      {"json_two_documents.json", kJson, {"the end of the file"}},
      {"json_errors_reported.json", kJson, {"field \"/errors\""}},
      {"sacct_tres_none.psv", kText, {"line 2, field \"AllocTRES\""}},
      {"sacct_truncated_state.psv", kText, {"line 2, field \"State\"", "got 'OUT_OF_ME+'"}},
  };
  for (const Refusal& one : refusals) {
    const std::string message = refusal_of(content_of(one.file), one.options);
    for (const char* words : one.words)
      EXPECT_NE(message.find(words), std::string::npos) << one.file << ": " << message;
    EXPECT_NE(message.find("hint: "), std::string::npos) << one.file << ": " << message;
  }
}

}  // namespace
}  // namespace granary::import
