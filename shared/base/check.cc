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
}  // namespace

void set_check_handler(std::function<void(const std::string&)> installed) {
  handler() = std::move(installed);
}

void check_failed(const char* expression, const char* file, int line, const std::string& message) {
  std::fprintf(stderr, "granary: a law is broken at %s:%d: %s: %s\n", file, line, expression, message.c_str());
  if (auto installed = std::exchange(handler(), nullptr)) installed(message);
  std::abort();
}

}  // namespace granary
