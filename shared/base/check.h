// GRANARY_CHECK: a law of the program that may never be broken. On in release builds too; a broken one aborts, after
// the handler (the runtime's: it writes down what was being folded or opened) has run. Any thread.
#pragma once

#include <functional>
#include <string>

namespace granary {

// Called once before the process aborts, with the message. The handler must not throw. Set before threads start.
void set_check_handler(std::function<void(const std::string&)> handler);

// Who tells of a broken law, instead of one line of text on stderr. As above.
using CheckReporter =
    std::function<void(const char* expression, const char* file, int line, const std::string& message)>;
void set_check_reporter(CheckReporter reporter);

// Who tells of stop_process(), likewise.
void set_stop_reporter(std::function<void(const std::string&)> reporter);

// Not a law but the world is broken, and no Result can be returned (a disk under derived state): says so and aborts.
// The handler is not called, as nothing that was being done is to blame.
[[noreturn]] void stop_process(const std::string& message);

// Whether one of these two has been called: the abort that follows is told of already. Safe in a signal handler.
[[nodiscard]] bool is_stopping();

[[noreturn]] void check_failed(const char* expression, const char* file, int line, const std::string& message);

}  // namespace granary

#define GRANARY_CHECK(condition, message)                                 \
  do {                                                                    \
    if (!(condition)) [[unlikely]]                                        \
      ::granary::check_failed(#condition, __FILE__, __LINE__, (message)); \
  } while (false)
