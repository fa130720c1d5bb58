// Every file of testdata/ under every configuration of a ledger that a program names: what is said is what is written.
// A program includes this once, for
//
//   INSTANTIATE_TEST_SUITE_P(Text, Scenario, each_file_under({...}), case_name);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "shared/fold/fold.h"
#include "tests/scenario/scenario.h"

namespace granary::scenario {

struct Configuration {
  std::string name;
  // Anew for each ledger: what it opens may live as long as this does.
  std::function<Ledger::Options()> options;
  AfterStep after_step = nullptr;
};

struct Case {
  Configuration configuration;
  std::filesystem::path file;
};

inline void PrintTo(const Case& one, std::ostream* out) {
  *out << one.file.filename() << " under " << one.configuration.name;
}

inline std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline auto each_file_under(const std::vector<Configuration>& configurations) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(GRANARY_SOURCE_DIR) + "/tests/scenario/testdata"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  cases.reserve(configurations.size() * files.size());
  for (const Configuration& configuration : configurations)
    for (const auto& file : files) cases.push_back({configuration, file});
  return ::testing::ValuesIn(cases);
}

// "state_deleted_half_way__03_late_usage_after_expiry"
inline std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.configuration.name + "__" + info.param.file.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// The digest of each shard's rows, a line a shard; the ledger has stopped.
inline std::string digests(Ledger& ledger) {
  std::string all;
  for (const ShardName& shard : ledger.shards())
    ledger.with_state(shard, [&](const store::Store& rows) {
      all += std::string(machine::machine_name(shard.first)) + " " + std::to_string(shard.second) + " " +
             to_hex(view_of(runtime::state_digest(rows))) + "\n";
    });
  return all;
}

class Scenario : public ::testing::TestWithParam<Case> {};

TEST_P(Scenario, SaysWhatIsWritten) {
  const auto& [configuration, file] = GetParam();
  const std::string written = content(file);
  ASSERT_FALSE(written.empty());
  if (std::getenv("GRANARY_REWRITE") != nullptr) {
    Ledger ledger({});
    std::ofstream(file, std::ios::binary) << run(written, ledger);
    return;
  }
  const Ledger::Options options = configuration.options();
  Ledger ledger(options);
  EXPECT_EQ(run(written, ledger, configuration.after_step), written);
  if (!options.open_journal && !configuration.after_step) return;
  // The rows are the same too, to the byte, as where nothing of the kind happens.
  ledger.stop();
  Ledger::Options plain;
  plain.partitions = options.partitions;
  Ledger undisturbed(plain);
  run(written, undisturbed);
  undisturbed.stop();
  EXPECT_EQ(digests(ledger), digests(undisturbed));
}

}  // namespace granary::scenario
