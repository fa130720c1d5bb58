// Checks of form that several nouns share. Any thread.
#pragma once

#include "shared/events/words.h"

namespace granary::events {

// Whether `unit` is a named unit (units::named_unit); `pointer` names its place in the data.
Trouble check_unit(const std::string& unit, const std::string& pointer);

// Whether `text` is `size` letters from A to Z.
bool upper_letters(const std::string& text, std::size_t size);

}  // namespace granary::events
