// The commands that ask or tell a running server. Each returns the exit code: 0 done, 1 refused or not found, 2 usage,
// 3 cannot run.
#pragma once

#include <string>

namespace granary::standalone {

struct ClientOptions {
  std::string url = "http://127.0.0.1:8080";
  bool json = false;
  std::string after;  // of questions: the token of a write whose effect the answer has to show
};

int projects(const ClientOptions& options);
int charges(const ClientOptions& options);
int balance(const ClientOptions& options, const std::string& project);
int sources(const ClientOptions& options);
int rejected(const ClientOptions& options, const std::string& source, const std::string& id);
int clock_confirm(const ClientOptions& options);
// CloudEvents from a file, "-" for standard input: one JSON object, an array of them, or one a line.
int post(const ClientOptions& options, const std::string& file);
// `what`: usage or charges; `format`: csv or json.
int export_rows(const ClientOptions& options, const std::string& what, const std::string& format);

}  // namespace granary::standalone
