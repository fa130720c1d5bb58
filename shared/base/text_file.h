// Whole text files that a person named: small ones of settings, and events to post. Any thread.
#pragma once

#include <cstddef>
#include <string>

#include "shared/base/result.h"

namespace granary {

// What the system says of an errno: "Permission denied".
std::string system_words(int error_number);

// The text of a file, without a byte order mark. `what` is what the file is to hold, for messages: "events". A pipe is
// read to its end. Errors: not_found (no such file), io_error (no rights, a loop of links, a name that is too long, a
// directory, a pipe that nobody writes to), invalid_input (more than `bytes_max`, UTF-16).
Result<std::string> read_text_file(const std::string& path, const std::string& what, std::size_t bytes_max);

// The same of an open file, which `name` names in messages; it stays open.
Result<std::string> read_text(int file, const std::string& name, const std::string& what, std::size_t bytes_max);

}  // namespace granary
