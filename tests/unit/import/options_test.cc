#include "services/import/options.h"

#include <gtest/gtest.h>

namespace granary::import {
namespace {

TEST(Options, NamesAreTheCommandLines) {
  EXPECT_EQ(format_named("sacct-json"), Format::sacct_json);
  EXPECT_EQ(format_named("SWF"), std::nullopt);
  EXPECT_EQ(project_from_named("binding"), ProjectFrom::binding);
  EXPECT_EQ(project_from_named(""), std::nullopt);
}

TEST(Options, WhatDoesNotFitTheFormatIsNamedByItsFlag) {
  const auto flag = [](const Options& options) {
    const auto result = check(options);
    return result.ok() ? "" : result.error().message.substr(0, result.error().message.find(':'));
  };
  EXPECT_EQ(flag({.format = Format::swf}), "");
  EXPECT_EQ(flag({.format = Format::swf, .project_from = ProjectFrom::account}), "--project-from");
  EXPECT_EQ(flag({.format = Format::swf, .epoch_ms = 0}), "--epoch");
  EXPECT_EQ(flag({.format = Format::swf, .cluster = "a"}), "--cluster");
  EXPECT_EQ(flag({.format = Format::openb}), "--epoch");
  EXPECT_EQ(flag({.format = Format::openb, .epoch_ms = 0}), "");
  EXPECT_EQ(flag({.format = Format::openb, .shift_end_to_ms = 0}), "");
  EXPECT_EQ(flag({.format = Format::openb, .project_from = ProjectFrom::group, .epoch_ms = 0}), "--project-from");
  EXPECT_EQ(flag({.format = Format::sacct}), "");  // its times may say their zone
  EXPECT_EQ(flag({.format = Format::sacct, .delimiter = ""}), "--delimiter");
  EXPECT_EQ(flag({.format = Format::sacct_json, .delimiter = ","}), "--delimiter");
  EXPECT_EQ(flag({.format = Format::swf, .columns = "JobID"}), "--columns");
  EXPECT_EQ(flag({.format = Format::sacct_json, .trusts_text = true}), "--trust-text");
  EXPECT_EQ(flag({.format = Format::sacct, .time_zone = "UTC"}), "");
  EXPECT_EQ(flag({.format = Format::sacct_json, .time_zone = "UTC"}), "--time-zone");
  EXPECT_EQ(flag({.format = Format::sacct_json, .project_from = ProjectFrom::user}), "--project-from");
  EXPECT_EQ(flag({.format = Format::sacct_json, .project_from = ProjectFrom::binding, .project_prefix = "p"}),
            "--project-prefix");
}

TEST(Options, SourceNamesTheFileAndWhatChangesItsMeaning) {
  Options swf{.format = Format::swf, .file_sha256 = "abc"};
  EXPECT_EQ(source_of(swf, ""), "urn:granary:import:abc:swf;from=group");
  swf.project_from = ProjectFrom::user;
  swf.project_prefix = "na sa";
  swf.shift_end_to_ms = 1'790'812'800'000;
  EXPECT_EQ(source_of(swf, ""), "urn:granary:import:abc:swf;from=user;prefix=na%20sa;end=2026-10-01T00:00:00Z");
  EXPECT_TRUE(source_of(swf, "").starts_with(source_prefix(swf)));
  const Options openb{.format = Format::openb, .epoch_ms = -1, .file_sha256 = "abc"};
  EXPECT_EQ(source_of(openb, ""), "urn:granary:import:abc:openb;epoch=1969-12-31T23:59:59.999Z");
  // The first pass, which knows no shift yet, names the source that the second one posts.
  Options second = swf;
  second.shift_ms = 5;
  EXPECT_EQ(source_of(second, ""), source_of(swf, ""));
}

TEST(Options, SlurmSourceIsTheClusterWhateverTheOptions) {
  const Options options{
      .format = Format::sacct_json, .project_prefix = "p", .shift_end_to_ms = 0, .file_sha256 = "abc"};
  EXPECT_EQ(source_of(options, "aif1"), "slurm://aif1");
  EXPECT_EQ(source_prefix(options), "");
}

TEST(Options, ProjectsAreNamedAsTheFormatHasThem) {
  UsageRow row;
  row.group = "1";
  row.user = "42";
  row.account = "llm lab";  // kept as it is: the server judges names
  row.qos = "LS";
  EXPECT_EQ(project_of(row, {.format = Format::swf, .project_prefix = "nasa"}), "nasa-g1");
  EXPECT_EQ(project_of(row, {.format = Format::swf, .project_from = ProjectFrom::user, .project_prefix = "nasa"}),
            "nasa-u42");
  EXPECT_EQ(project_of(row, {.format = Format::openb, .project_prefix = "ali"}), "ali-LS");
  EXPECT_EQ(project_of(row, {.format = Format::sacct, .project_prefix = "aif"}), "aif-llm lab");
  EXPECT_EQ(project_of(row, {.format = Format::sacct}), "llm lab");
  EXPECT_EQ(project_of(row, {.format = Format::sacct, .project_from = ProjectFrom::binding}), std::nullopt);
}

}  // namespace
}  // namespace granary::import
