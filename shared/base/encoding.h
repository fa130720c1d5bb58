// What text files begin with: a byte order mark is no part of the text, and UTF-16 is named. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace granary {

// `bytes` without the byte order mark of UTF-8, if there is one. `name` is what messages call the text. Errors:
// invalid_input for UTF-16 and UTF-32, also without a mark if the text begins with an ASCII character; the hint says
// how to convert it.
Result<std::string_view> without_byte_order_mark(std::string_view bytes, const std::string& name);

}  // namespace granary
