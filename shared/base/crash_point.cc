#include "shared/base/crash_point.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace granary {
namespace {

struct Plan {
  std::string name;
  std::atomic<long> left{0};
  Plan() {
    const char* text = std::getenv("GRANARY_CRASH_AT");
    if (text == nullptr) return;
    name = text;
    const auto colon = name.find(':');
    left = colon == std::string::npos ? 1 : std::strtol(name.c_str() + colon + 1, nullptr, 10);
    name.resize(std::min(colon, name.size()));
  }
};

}  // namespace

void crash_point(const char* name) {
  static Plan plan;
  if (plan.name.empty() || plan.name != name) return;
  if (plan.left.fetch_sub(1) == 1) std::raise(SIGKILL);
}

}  // namespace granary
