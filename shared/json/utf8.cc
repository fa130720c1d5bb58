#include "shared/json/utf8.h"

#include <utf8.h>

namespace granary::json {
namespace {

constexpr std::size_t kCharacterBytesMax = 4;

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  for (std::size_t length = 1; length <= kCharacterBytesMax && at + length <= text.size(); ++length)
    if (is_utf8(text.substr(at, length))) return length;
  return 0;
}

bool is_utf8(std::string_view text) {
  return utf8::is_valid(text.begin(), text.end());
}

}  // namespace granary::json
