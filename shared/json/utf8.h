// What is UTF-8 and what is not. Any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace granary::json {

// The length in bytes of the well-formed character at `at` (Unicode 15, table 3-7); 0 if there is none. `at` must
// lie inside `text`.
std::size_t utf8_length(std::string_view text, std::size_t at);

// Whether all of `text` is well-formed.
bool is_utf8(std::string_view text);

}  // namespace granary::json
