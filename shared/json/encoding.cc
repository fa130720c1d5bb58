#include "shared/json/encoding.h"

namespace granary::json {
namespace {

using std::string_view_literals::operator""sv;

// What a JSON text, a table or a list of jobs can begin with.
bool is_ascii_text(char c) {
  return (c >= 0x20 && c <= 0x7e) || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

std::size_t utf8_mark_bytes(std::string_view head) {
  return head.starts_with("\xef\xbb\xbf"sv) ? 3 : 0;
}

const char* wide_encoding(std::string_view head) {
  if (head.starts_with("\xff\xfe\0\0"sv) || head.starts_with("\0\0\xfe\xff"sv)) return "UTF-32";
  if (head.starts_with("\xff\xfe"sv) || head.starts_with("\xfe\xff"sv)) return "UTF-16";
  if (head.size() < kEncodingBytes) return nullptr;
  const bool is_little = is_ascii_text(head[0]) && head[1] == '\0';
  if (is_little && head[2] == '\0' && head[3] == '\0') return "UTF-32";
  if (is_little && head[3] == '\0') return "UTF-16";
  if (head[0] == '\0' && is_ascii_text(head[1]) && head[2] == '\0') return "UTF-16";
  return head.starts_with("\0\0\0"sv) && is_ascii_text(head[3]) ? "UTF-32" : nullptr;
}

}  // namespace granary::json
