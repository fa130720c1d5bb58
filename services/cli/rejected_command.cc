// `granary rejected`: what the rules refused, and why.
#include <memory>

#include "services/cli/command.h"
#include "services/cli/question.h"
#include "shared/http/uri.h"

namespace granary::cli {
namespace {

struct Arguments {
  ClientOptions client;
  std::string source, id;
};

int rejected(const Arguments& arguments) {
  std::string path = "/v1/rejected?limit=500";
  if (!arguments.source.empty()) path += "&source=" + http::percent_encode(arguments.source);
  if (!arguments.id.empty()) path += "&id=" + http::percent_encode(arguments.id);
  return print_list(arguments.client, path, {{"machine"}, {"reason"}, {"source"}, {"id"}, {"field"}, {"hint"}});
}

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  add_question_options(command, arguments->client);
  command.add_option("--source", arguments->source, "Only of this source");
  command.add_option("--id", arguments->id, "Only with this id");
  return [arguments] { return rejected(*arguments); };
}

const Registered registered({Users::portals, "rejected", "What the rules refused, and why", declare});

}  // namespace
}  // namespace granary::cli
