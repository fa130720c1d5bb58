// `granary replay`: folds every machine of a stopped server again from its log and compares the state digests. Exit
// codes: 0 equal, 1 different, 2 usage, 3 cannot run.
#pragma once

#include <string>
#include <vector>

namespace granary::cli {

struct ReplayArguments {
  std::vector<std::string> data{"granary-data"};
  std::string brokers, kafka_file;
  std::vector<std::string> kafka;
  std::string until, expect;
  bool json = false;
};

int replay(const ReplayArguments& arguments);

}  // namespace granary::cli
