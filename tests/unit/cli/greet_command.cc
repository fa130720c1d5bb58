// A command of this test alone: one more file, and nothing else, makes it a command of the program.
#include <cstdio>
#include <memory>

#include "services/cli/command.h"
#include "services/cli/options.h"

namespace granary::cli {
namespace {

constexpr int kGreeted = 7;

Run declare(CLI::App& command) {
  const auto options = std::make_shared<ClientOptions>();
  add_url(command, *options);
  return [options] {
    std::puts(("hello " + options->url).c_str());
    return kGreeted;
  };
}

const Registered registered({Users::finance, "greet", "Say hello to a server", declare});

}  // namespace
}  // namespace granary::cli
