#include "services/cli/command.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "shared/base/version.h"
#include "shared/service/command_line.h"

namespace granary::cli {
namespace {

constinit const Registered* last_registered = nullptr;

const char* heading_of(Users users) {
  switch (users) {
    case Users::operators:
      return "Operators";
    case Users::finance:
      return "Projects and finance";
    case Users::portals:
      return "Portals and importers";
  }
  return "Subcommands";
}

constexpr const char* kAbout =
    "Granary: the allocation ledger of an AI Factory. Keeps what projects were granted, what their jobs used, and "
    "what that is worth, and can fold every figure again from its log.\n\n"
    "First steps, in one shell and another:\n"
    "  granary serve --data DIR                        the ledger, on http://127.0.0.1:8080\n"
    "  granary post deploy/example/1-policies.json     what is counted, and what it costs\n"
    "  granary import FILE --format swf ...            what a scheduler's jobs used\n"
    "  granary projects                                granted, used, expired, available, uncovered\n"
    "  granary balance PROJECT                         the same of one project, lot by lot\n"
    "  granary export charges                          what finance is told, month by month\n"
    "  granary replay --data DIR                       after the server has stopped: all of it again, compared\n"
    "\nEach command says more: granary COMMAND --help";

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 refused, not found or different, 2 usage, 3 cannot run (no server, no such file, or not all "
    "of the output could be written).";

}  // namespace

Registered::Registered(const Command& command) noexcept : command_(command), next_(last_registered) {
  last_registered = this;
}

int run(int argc, char** argv) {
  std::vector<const Command*> commands;
  for (const Registered* one = last_registered; one != nullptr; one = one->next_) commands.push_back(&one->command_);
  // They registered in the linker's order.
  std::sort(commands.begin(), commands.end(), [](const Command* a, const Command* b) {
    return a->users != b->users ? a->users < b->users : std::string_view(a->name) < b->name;
  });
  CLI::App app{kAbout, "granary"};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.footer(kExitCodes);
  int exit_code = 0;
  for (const Command* one : commands) {
    CLI::App* command = app.add_subcommand(one->name, one->does);
    command->callback([body = one->declare(*command), &exit_code] { exit_code = body(); });
    command->group(heading_of(one->users));  // last: subcommands of its own would take the heading over
  }
  if (const auto ended = service::parse_command_line(app, argc, argv)) return *ended;
  return exit_code;
}

}  // namespace granary::cli
