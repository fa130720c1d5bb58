#include "shared/events/ref.h"

#include <fmt/format.h>

#include <algorithm>

namespace granary::events {

std::optional<Ref> read_ref(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
  return Ref{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

Trouble check(const std::vector<Ref>& refs, const std::string& at) {
  for (std::size_t i = 0; i < refs.size(); ++i) {
    const Ref& ref = refs[i];
    const std::string here = at + "/" + std::to_string(i);
    if (ref.system.size() > kForeignNameBytesMax || ref.system.find(':') != std::string::npos)
      return FormError{"malformed", here + "/system", ref.system, "send at most 64 bytes without a colon"};
    if (ref.id.size() > kForeignNameBytesMax)
      return FormError{"malformed", here + "/id", ref.id.substr(0, 100), "send at most 64 bytes"};
    const auto before = refs.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(refs.begin(), before, ref) != before)
      return FormError{"malformed", here, fmt::format("{}:{}", ref.system, ref.id), "name each ref once"};
  }
  return std::nullopt;
}

}  // namespace granary::events
