// Writing JSON by hand, for those who know their own shape. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "shared/base/sink.h"

namespace granary::json {

// Appends `text` as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD, so that the outcome is valid
// whatever came in.
void append_json_string(std::string& out, std::string_view text);
void append_json_string(Sink& out, std::string_view text);

}  // namespace granary::json
