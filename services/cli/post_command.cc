// `granary post`: CloudEvents from a file, or from standard input.
#include <unistd.h>

#include <memory>

#include "services/cli/command.h"
#include "services/cli/event_file.h"
#include "services/cli/sending.h"
#include "shared/base/text_file.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

struct Arguments {
  ClientOptions client;
  std::string file;  // "-": standard input
};

Result<std::string> text_of_file(const std::string& file) {
  constexpr const char* kWhat = "CloudEvents in JSON";
  if (file == "-") return read_text(STDIN_FILENO, "standard input", kWhat, kEventFileBytesMax);
  return read_text_file(file, kWhat, kEventFileBytesMax);
}

int post(const Arguments& arguments) {
  const auto text = text_of_file(arguments.file);
  if (text.ok()) return send_text(arguments.client, *text, arguments.file);
  service::complain(text.error().message);
  return text.error().code == ErrorCode::invalid_input ? service::kUsage : service::kCannotRun;
}

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  add_client_options(command, arguments->client);
  command.add_option("FILE", arguments->file, "- for standard input")->required();
  command.footer(
      "Each run of decisions or of usage is sent once the effect of all before it is there, so that one file may hold "
      "decisions and the usage that needs them.\n"
      "Exit codes: 0 every event was taken (new, a repeat, or waiting), 1 one was refused, 2 no JSON, 3 cannot run (no "
      "server, no such file).");
  return [arguments] { return post(*arguments); };
}

const Registered registered({Users::portals, "post",
                             "Send CloudEvents: JSON objects one after the other (one a line, or printed), or arrays",
                             declare});

}  // namespace
}  // namespace granary::cli
