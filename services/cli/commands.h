// The commands that ask or tell a running server. Each returns the exit code: 0 done, 1 refused or not found, 2 usage,
// 3 cannot run.
#pragma once

#include <string>

#include "shared/base/result.h"

namespace granary::cli {

struct ClientOptions {
  std::string url = "http://127.0.0.1:8080";
  bool json = false;
  std::string after;   // of questions: the token of a write whose effect the answer has to show
  bool exact = false;  // of tables with money: all its decimals
};

// Says what is wrong; the exit code: 1 refused or not found, 3 no server that answers.
int fail(const Error& error);
// A path with ?after= of `options`, if they name a token.
std::string after_token(const ClientOptions& options, std::string path);

int projects(const ClientOptions& options);
int charges(const ClientOptions& options);
int balance(const ClientOptions& options, const std::string& project);
int sources(const ClientOptions& options);
int rejected(const ClientOptions& options, const std::string& source, const std::string& id);
int clock_confirm(const ClientOptions& options);
}  // namespace granary::cli
