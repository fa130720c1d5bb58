#include "shared/base/encoding.h"

namespace granary {
namespace {

using std::string_view_literals::operator""sv;

// What a JSON text, a table or a list of jobs can begin with.
bool is_ascii_text(char c) {
  return (c >= 0x20 && c <= 0x7e) || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

const char* wide_encoding(std::string_view head) {
  if (head.starts_with("\xff\xfe\0\0"sv) || head.starts_with("\0\0\xfe\xff"sv)) return "UTF-32";
  if (head.starts_with("\xff\xfe"sv) || head.starts_with("\xfe\xff"sv)) return "UTF-16";
  if (head.size() < 2) return nullptr;
  const bool is_little = is_ascii_text(head[0]) && head[1] == '\0';
  const bool is_big = head[0] == '\0' && is_ascii_text(head[1]);
  if (head.size() < kEncodingBytes) return head.size() == 2 && (is_little || is_big) ? "UTF-16" : nullptr;
  if (is_little && head[2] == '\0' && head[3] == '\0') return "UTF-32";
  if ((is_little && head[3] == '\0') || (is_big && head[2] == '\0')) return "UTF-16";
  return head.starts_with("\0\0\0"sv) && is_ascii_text(head[3]) ? "UTF-32" : nullptr;
}

std::string conversion_hint(std::string_view encoding) {
  return "convert it first: iconv -f " + std::string(encoding) +
         " -t UTF-8 FILE > NEW (in PowerShell write it with Out-File -Encoding utf8)";
}

Result<std::string_view> without_byte_order_mark(std::string_view bytes, const std::string& name) {
  if (const char* encoding = wide_encoding(bytes))
    return Error{ErrorCode::invalid_input,
                 "expected UTF-8 in " + name + ", got " + encoding + "; hint: " + conversion_hint(encoding)};
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  return bytes;
}

}  // namespace granary
