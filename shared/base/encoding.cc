#include "shared/base/encoding.h"

namespace granary {
namespace {

using std::string_view_literals::operator""sv;

// nullptr: none of these.
const char* wide_encoding(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE\0\0"sv) || bytes.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv)) return "UTF-16";
  // Text begins with no NUL, so that a NUL beside another byte is half of a character.
  const auto is_nul = [&bytes](std::size_t at) { return bytes[at] == '\0'; };
  if (bytes.size() >= 2 && is_nul(0) != is_nul(1)) return "UTF-16";
  return nullptr;
}

}  // namespace

Result<std::string_view> without_byte_order_mark(std::string_view bytes, const std::string& name) {
  if (const char* encoding = wide_encoding(bytes))
    return Error{ErrorCode::invalid_input, "expected UTF-8 in " + name + ", got " + encoding +
                                               "; hint: convert it: iconv -f " + encoding +
                                               " -t UTF-8 FILE > NEW (PowerShell writes UTF-8 by Out-File -Encoding "
                                               "utf8)"};
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  return bytes;
}

}  // namespace granary
