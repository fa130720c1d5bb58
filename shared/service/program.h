// What every program of this build does around its own work: no exception leaves main, and what it could not write ends
// in an error.
//
// Threads: run_program is main's; complain and write_output on any, one at a time.
#pragma once

#include <functional>
#include <string_view>

#include "shared/base/result.h"

namespace granary::service {

inline constexpr int kUsage = 2, kCannotRun = 3;

// Runs `body` and returns the exit code: body's, or 3, with a line on standard error, if an exception came out of it or
// if not all of what it wrote to standard output could be written. Standard files that the caller closed are taken, so
// that no file that is opened later gets their place.
int run_program(const std::function<int()>& body);

// One line on standard error: "granary: ...". Control characters are escaped, so that a file's name makes no second
// line.
void complain(std::string_view message);

// For long outputs, which end early if they cannot be written: appends to standard output. Errors: io_error.
Result<void> write_output(std::string_view text);

}  // namespace granary::service
