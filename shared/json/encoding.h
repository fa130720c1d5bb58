// How a text from outside says in which encoding it is: what every reader of files looks at first. Any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace granary::json {

// So many bytes of a text are enough for both functions.
inline constexpr std::size_t kEncodingBytes = 4;

// The bytes of a UTF-8 byte order mark at the front, which a reader passes over: 3, or 0 if there is none.
std::size_t utf8_mark_bytes(std::string_view head);

// "UTF-16" or "UTF-32" if the text begins as one of these does, with a byte order mark or without; nullptr: it may be
// UTF-8.
const char* wide_encoding(std::string_view head);

// What to do about it.
inline constexpr const char* kWideEncodingHint =
    "convert it first: iconv -f UTF-16 -t UTF-8 FILE > NEW (in PowerShell write it with Out-File -Encoding utf8)";

}  // namespace granary::json
