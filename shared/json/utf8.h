// What is UTF-8 and what is not. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace granary::json {

// The length in bytes of the well-formed character at `at` (Unicode 15, table 3-7); 0 where there is none. `at` must
// lie inside `text`.
std::size_t utf8_length(std::string_view text, std::size_t at);

// Whether all of `text` is well-formed.
bool is_utf8(std::string_view text);

// What Windows' tools put before a text in UTF-8.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// "UTF-16" or "UTF-32" for a text that is in one of them by its first bytes: their byte order mark, or a character of
// ASCII among zeroes (so begins JSON, and every table); nullptr otherwise.
const char* wide_encoding(std::string_view text);
// How to convert a text of that encoding, for a message.
std::string conversion_hint(std::string_view encoding);

}  // namespace granary::json
