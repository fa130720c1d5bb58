// Whole workloads: the generated year, and real ones where GRANARY_TRACES names a folder of them: the totals of what
// the readers yield against the sums of tests/support/sum_workload.py, which knows nothing of them.
#include <gtest/gtest.h>
#include <stdio.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "tests/unit/import/import_support.h"

namespace granary::import {
namespace {

__extension__ using Wide = unsigned __int128;

std::string text_of(Wide value) {
  std::string digits;
  do digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
  while ((value /= 10) != 0);
  return digits;
}

// "2.5" as 2500 thousandths; of memory the bytes.
std::uint64_t base_quantity(const ResourceQuantity& resource) {
  const std::size_t point = resource.quantity.find('.');
  std::string decimals = point == std::string::npos ? "" : resource.quantity.substr(point + 1);
  const std::string whole = resource.quantity.substr(0, point);
  if (resource.class_name == "memory") return std::stoull(whole);
  decimals.resize(3, '0');
  return std::stoull(whole + decimals);
}

class SummingSink : public RowSink {
 public:
  explicit SummingSink(const Options& options) : options_(options) {}
  Result<void> on_row(const UsageRow& row) override {
    const std::int64_t ran_ms = row.ran_ms.value_or(row.end_ms - row.start_ms);
    for (const ResourceQuantity& resource : row.resources) {
      auto& [records, amount] = sums_[project_of(row, options_).value() + "," + resource.class_name];
      ++records;
      amount += static_cast<Wide>(base_quantity(resource)) * static_cast<Wide>(ran_ms);
    }
    return {};
  }
  Result<void> on_remark(Fate, const Remark&) override { return {}; }

  [[nodiscard]] std::string csv(const Summary& summary) const {
    std::string out = "project,resource,records,quantity\n";
    for (const auto& [key, sum] : sums_)
      out += key + "," + std::to_string(sum.first) + "," + text_of(sum.second) + "\n";
    if (summary.end_ms_max) {
      out += "# " + std::to_string(*summary.start_ms_min) + " " + std::to_string(*summary.end_ms_max) + "\n";
    }
    return out;
  }

 private:
  const Options& options_;
  std::map<std::string, std::pair<std::uint64_t, Wide>> sums_;
};

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "no process";
  char buffer[4096];
  for (std::size_t got = 0; (got = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, got);
  if (::pclose(pipe) != 0) out += "failed";
  return out;
}

// Reads the file twice, as the command does, and compares with the script's sum and period.
void expect_same_sums(const std::filesystem::path& path, Options options, const std::string& flags) {
  SCOPED_TRACE(path.filename().string());
  options.project_prefix = "p";
  options.shift_end_to_ms = 1'790'812'800'000;
  options.file_sha256 = sha256_of_content(path.string()).value();
  ASSERT_TRUE(check(options).ok());
  std::string csv;
  Resizes resizes;
  for (int pass = 0; pass < 2; ++pass) {
    auto input = Input::open(path.string());
    ASSERT_TRUE(input.ok()) << input.error().message;
    SummingSink sink(options);
    const auto summary = read(*input, options, sink);
    ASSERT_TRUE(summary.ok()) << summary.error().message;
    EXPECT_FALSE(summary->truncated);
    EXPECT_GT(summary->rows(), 0U);
    csv = sink.csv(*summary);
    EXPECT_FALSE(summary->cut) << summary->cut->detail;
    resizes = summary->resizes;
    options.resizes = &resizes;
    if (pass == 0 && summary->end_ms_max) options.shift_ms = *options.shift_end_to_ms - *summary->end_ms_max;
  }
  EXPECT_EQ(csv,
            output_of("python3 '" GRANARY_SOURCE_DIR "/tests/support/sum_workload.py' '" + path.string() +
                      "' --project-prefix p --period --shift-end-to 2026-10-01T00:00:00Z " + flags + " 2>/dev/null"));
}

TEST(GeneratedYear, IsTheSameEachTimeAndItsSumsAgree) {
  const TempFolder folder;
  const std::string path = folder.file("year.csv", "");
  ASSERT_EQ(output_of("python3 '" GRANARY_SOURCE_DIR "/deploy/example/generate_workload.py' --out '" + path + "'"), "");
  // The example's figures stand in the documentation: a change of the generator is a change of these.
  EXPECT_EQ(sha256_of_content(path).value(), "10f6c060c5316bf502515fff0db42e6f8a75727fd46e64d7a2721f3f36f0ba7f");
  expect_same_sums(path, {.format = Format::openb}, "--format openb");
}

class Traces : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("GRANARY_TRACES");
    if (folder == nullptr || *folder == '\0') GTEST_SKIP() << "GRANARY_TRACES names no folder of real workloads";
    folder_ = folder;
  }
  std::filesystem::path folder_;
};

TEST_F(Traces, NasaByGroupAndByUser) {
  expect_same_sums(folder_ / "NASA.swf.zip", {.format = Format::swf}, "--format swf");
  expect_same_sums(folder_ / "NASA.swf.zip", {.format = Format::swf, .project_from = ProjectFrom::user},
                   "--format swf --project-from user");
}

TEST_F(Traces, Wagap) {
  expect_same_sums(folder_ / "wagap-2013.swf", {.format = Format::swf, .project_from = ProjectFrom::user},
                   "--format swf --project-from user");
}

TEST_F(Traces, OpenbPods) {
  expect_same_sums(folder_ / "openb_pod_list_default.csv", {.format = Format::openb}, "--format openb");
}

TEST_F(Traces, EachSacctJson) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "sacct_json")) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    expect_same_sums(entry.path(), {.format = Format::sacct_json}, "--format sacct-json");
  }
  EXPECT_GT(files, 0U);
}

TEST_F(Traces, SacctText) {
  expect_same_sums(folder_ / "sacct_parsable2_sample.csv",
                   {.format = Format::sacct, .cluster = "sample", .time_zone = "America/New_York", .trusts_text = true},
                   "--format sacct --time-zone America/New_York");
}

}  // namespace
}  // namespace granary::import
