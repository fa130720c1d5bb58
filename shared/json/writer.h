// Writing JSON by hand, for those who know their own shape. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace granary::json {

// Appends `text` as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD, so that the outcome is valid
// whatever came in.
void append_json_string(std::string& out, std::string_view text);

}  // namespace granary::json
