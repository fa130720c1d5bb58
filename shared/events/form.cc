#include "shared/events/form.h"

#include <algorithm>

namespace granary::events {

Trouble check_unit(const std::string& unit, const std::string& pointer) {
  if (units::named_unit(unit)) return std::nullopt;
  return FormError{"malformed", pointer, unit,
                   "send one of: resource-hour, resource-us, gib-hour, tib-hour, byte-hour, byte-ms, item"};
}

bool upper_letters(const std::string& text, std::size_t size) {
  return text.size() == size && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace granary::events
