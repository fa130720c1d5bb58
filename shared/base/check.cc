#include "shared/base/check.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
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

std::atomic<bool> stopping = false;
static_assert(std::atomic<bool>::is_always_lock_free, "is_stopping() is called by signal handlers");

// Who comes second waits for the end of the process: were it to abort, what the first one's handler writes might stay
// half written. What the first one breaks itself, while it tells, goes on to its end.
void take_the_last_turn() {
  stopping = true;
  static std::mutex turn;
  thread_local bool mine = false;
  if (!std::exchange(mine, true)) turn.lock();
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

bool is_stopping() {
  return stopping;
}

void stop_process(const std::string& message) {
  take_the_last_turn();
  if (auto told = std::exchange(stop_reporter(), nullptr))
    told(message);
  else
    std::fprintf(stderr, "granary: the process cannot go on: %s\n", message.c_str());
  std::abort();
}

void check_failed(const char* expression, const char* file, int line, const std::string& message) {
  take_the_last_turn();
  // Taken first: a law that breaks while one is told does not tell of itself for ever.
  if (auto told = std::exchange(reporter(), nullptr))
    told(expression, file, line, message);
  else
    std::fprintf(stderr, "granary: a law is broken at %s:%d: %s: %s\n", file, line, expression, message.c_str());
  if (auto installed = std::exchange(handler(), nullptr)) installed(message);
  std::abort();
}

}  // namespace granary
