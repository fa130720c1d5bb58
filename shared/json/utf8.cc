#include "shared/json/utf8.h"

namespace granary::json {
namespace {

bool is_continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !is_continuation(text, at + 1)) return 0;
  if (first < 0xE0) return 2;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  if (!is_continuation(text, at + 2)) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool too_large = first == 0xF4 && second > 0x8F;
  return overlong || too_large || !is_continuation(text, at + 3) ? 0 : 4;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

const char* wide_encoding(std::string_view text) {
  constexpr const char* kUtf16 = "UTF-16";
  constexpr const char* kUtf32 = "UTF-32";
  using namespace std::string_view_literals;
  if (text.starts_with("\xFF\xFE\0\0"sv) || text.starts_with("\0\0\xFE\xFF"sv)) return kUtf32;
  if (text.starts_with("\xFF\xFE"sv) || text.starts_with("\xFE\xFF"sv)) return kUtf16;
  const auto is_zero = [text](std::size_t at) { return text[at] == '\0'; };
  if (text.size() >= 4 && is_zero(1) && is_zero(2) && is_zero(0) != is_zero(3)) return kUtf32;
  return text.size() >= 2 && is_zero(0) != is_zero(1) ? kUtf16 : nullptr;
}

std::string conversion_hint(std::string_view encoding) {
  return "convert it: iconv -f " + std::string(encoding) + " -t UTF-8 FILE (PowerShell: Out-File -Encoding utf8)";
}

}  // namespace granary::json
