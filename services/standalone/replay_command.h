// `granary replay`: folds every machine of a stopped server again from its log and compares the state digests. Exit
// codes: 0 equal, 1 different, 2 usage, 3 cannot run.
#pragma once

#include <string>

namespace granary::standalone {

struct ReplayArguments {
  std::string data = "granary-data";
  std::string until, expect;
  bool json = false;
};

int replay(const ReplayArguments& arguments);

}  // namespace granary::standalone
