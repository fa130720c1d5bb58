// The options that several commands take: each has its name and its words here, once. One thread, main's.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace granary::cli {

struct ClientOptions {
  std::string url = "http://127.0.0.1:8080";
  bool json = false;
  std::string after;   // of questions: the token of a write whose effect the answer has to show
  bool exact = false;  // of tables with money: all its decimals
};

// --url
void add_url(CLI::App& command, ClientOptions& client);
// --json
void add_json(CLI::App& command, bool& json);
// --url and --json: what every command of a server takes.
void add_client_options(CLI::App& command, ClientOptions& client);
// --url, --json and --after
void add_question_options(CLI::App& command, ClientOptions& client);
// --exact
void add_exact(CLI::App& command, ClientOptions& client);

}  // namespace granary::cli
