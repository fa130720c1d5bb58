#include "services/cli/options.h"

#include "shared/http/uri.h"

namespace granary::cli {

void add_url(CLI::App& command, ClientOptions& client) {
  command.add_option("--url", client.url, "The server")
      ->check([](const std::string& text) {
        const auto checked = http::parse_url(text);
        return checked.ok() ? std::string() : checked.error().message;
      })
      ->capture_default_str();
}

void add_json(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "For machines: JSON, amounts as decimal strings of base units");
}

void add_client_options(CLI::App& command, ClientOptions& client) {
  add_url(command, client);
  add_json(command, client.json);
}

void add_question_options(CLI::App& command, ClientOptions& client) {
  add_client_options(command, client);
  command.add_option("--after", client.after, "Answer once this TOKEN's effect is folded (import --json gives it)");
}

void add_exact(CLI::App& command, ClientOptions& client) {
  command.add_flag("--exact", client.exact,
                   "Money with all nine decimals (default: those of its currency, rounded half to even)");
}

}  // namespace granary::cli
