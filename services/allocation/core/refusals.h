// Why allocation refuses a raw event, in the order in which the rules are tested. Reservations are reserved names
// still, so no raw event is known to it. Values; any thread.
#pragma once

#include <cstdint>

#include "shared/codec/field.h"

namespace granary::allocation {

enum class Refusal : std::uint8_t { unknown_type = 1 };

}  // namespace granary::allocation

GRANARY_ENUM_NAMES(granary::allocation::Refusal, "unknown_type");
