#include "shared/base/check.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace granary {
namespace {
std::function<void(const std::string&)>& handler() {
  static std::function<void(const std::string&)> installed;
  return installed;
}
CheckReporter& reporter() {
  static CheckReporter installed;
  return installed;
}
std::function<void(const std::string&)>& stop_reporter() {
  static std::function<void(const std::string&)> installed;
  return installed;
}
}  // namespace

void set_stop_reporter(std::function<void(const std::string&)> installed) {
  stop_reporter() = std::move(installed);
}

void set_check_reporter(CheckReporter installed) {
  reporter() = std::move(installed);
}

void set_check_handler(std::function<void(const std::string&)> installed) {
  handler() = std::move(installed);
}

void stop_process(const std::string& message) {
  if (auto told = std::exchange(stop_reporter(), nullptr))
    told(message);
  else
    std::fprintf(stderr, "granary: the process cannot go on: %s\n", message.c_str());
  std::abort();
}

void check_failed(const char* expression, const char* file, int line, const std::string& message) {
  // Taken first: a law that breaks while one is told does not tell of itself for ever.
  if (auto told = std::exchange(reporter(), nullptr))
    told(expression, file, line, message);
  else
    std::fprintf(stderr, "granary: a law is broken at %s:%d: %s: %s\n", file, line, expression, message.c_str());
  if (auto installed = std::exchange(handler(), nullptr)) installed(message);
  std::abort();
}

}  // namespace granary
