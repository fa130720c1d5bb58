// `granary projects`: what each project was granted, used and may use.
#include <memory>

#include "services/cli/command.h"
#include "services/cli/question.h"

namespace granary::cli {
namespace {

int projects(const ClientOptions& options) {
  return print_list(options, "/v1/projects",
                    {{"organisation"},
                     {"project"},
                     {"resource"},
                     {"granted", Cell::amount},
                     {"used", Cell::amount},
                     {"reserved", Cell::amount},
                     {"expired", Cell::amount},
                     {"available", Cell::amount},
                     {"usable", Cell::amount},
                     {"uncovered", Cell::amount}});
}

Run declare(CLI::App& command) {
  const auto options = std::make_shared<ClientOptions>();
  add_question_options(command, *options);
  return [options] { return projects(*options); };
}

const Registered registered({Users::finance, "projects", "Balances of all projects", declare});

}  // namespace
}  // namespace granary::cli
