// What text files begin with: a byte order mark is no part of the text, and UTF-16 is named. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace granary {

// This many bytes of a text are enough for wide_encoding() and the mark.
inline constexpr std::size_t kEncodingBytes = 4;

// The byte order mark of UTF-8, which Windows' tools put before a text.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// "UTF-16" or "UTF-32" if the text begins as one of these does: with its byte order mark, or with a character of ASCII
// among zeroes, as JSON and every table do; nullptr: it may be UTF-8.
const char* wide_encoding(std::string_view head);

// How to convert a text of that encoding, for a message.
std::string conversion_hint(std::string_view encoding);

// `bytes` without the byte order mark of UTF-8, if there is one. `name` is what messages call the text. Errors:
// invalid_input for UTF-16 and UTF-32; the hint says how to convert it.
Result<std::string_view> without_byte_order_mark(std::string_view bytes, const std::string& name);

}  // namespace granary
