// Every file of testdata/ says what Granary says, whatever the partitions and wherever commits fall. To write down what
// it says now: GRANARY_REWRITE=1 scenario_test, and read the difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/scenario/scenario.h"

namespace granary::scenario {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> all;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(GRANARY_SOURCE_DIR) + "/tests/scenario/testdata"))
    all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

class Scenario : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Scenario, SaysWhatIsWritten) {
  const std::string written = content(GetParam());
  ASSERT_FALSE(written.empty());
  if (std::getenv("GRANARY_REWRITE") != nullptr) {
    Ledger ledger({});
    std::ofstream(GetParam(), std::ios::binary) << run(written, ledger);
    return;
  }
  for (const Ledger::Options& options : {Ledger::Options{2, 50'000}, Ledger::Options{1, 1}, Ledger::Options{5, 3}}) {
    Ledger ledger(options);
    EXPECT_EQ(run(written, ledger), written) << "with " << options.partitions << " partitions";
  }
}

INSTANTIATE_TEST_SUITE_P(Text, Scenario, ::testing::ValuesIn(files()), [](const auto& param) {
  std::string name = param.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace granary::scenario
