// CloudEvents as people have them in files: one JSON object, an array, objects one after the other (one a line, printed
// over several lines, or a JSON text sequence, RFC 7464), and arrays of them likewise. Plain values; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace granary::cli {

inline constexpr std::size_t kEventFileBytesMax = 256U << 20;

struct FileEvent {
  std::string json;
  bool is_usage = false;  // else a decision, or what the door will refuse
};

// The events of a file's text, in its order. An event whose type the vocabulary does not hold is of the kind of the one
// before it. Errors: invalid_input with the line (no JSON, cut short, something that is no object, nothing at all).
Result<std::vector<FileEvent>> events_of(std::string_view text);

}  // namespace granary::cli
