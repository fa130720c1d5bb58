#include "services/cli/command.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace granary::cli {
namespace {

struct Ran {
  int code = 0;
  std::string output;
};

Ran run_words(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  testing::internal::CaptureStdout();
  const int code = run(static_cast<int>(arguments.size()), arguments.data());
  return {code, testing::internal::GetCapturedStdout()};
}

TEST(Command, OneMoreFileIsOneMoreCommand) {
  const Ran greeted = run_words({"granary", "greet", "--url", "http://127.0.0.1:1"});
  EXPECT_EQ(greeted.output, "hello http://127.0.0.1:1\n");
  EXPECT_EQ(greeted.code, 7);
}

TEST(Command, HelpNamesEachCommandUnderItsUsers) {
  const Ran help = run_words({"granary", "--help"});
  EXPECT_EQ(help.code, 0);
  std::size_t at = 0;
  for (const char* name :
       {"\nOperators:\n", "\n  clock ", "\n  replay ", "\n  rules ", "\n  serve ", "\n  status ", "\n  topics ",
        "\nProjects and finance:\n", "\n  balance ", "\n  charges ", "\n  export ", "\n  greet ", "\n  projects ",
        "\nPortals and importers:\n", "\n  import ", "\n  post ", "\n  rejected ", "\n  sources ", "\n  tail "}) {
    const std::size_t found = help.output.find(name, at);
    ASSERT_NE(found, std::string::npos) << name << " is missing, or in another place:\n" << help.output;
    at = found;
  }
}

TEST(Command, ItsOptionsAreItsOwn) {
  EXPECT_EQ(run_words({"granary", "greet", "--json"}).code, 2);
  EXPECT_EQ(run_words({"granary", "greet", "--url", "nonsense"}).code, 2);
}

}  // namespace
}  // namespace granary::cli
