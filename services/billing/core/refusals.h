// Why billing refuses a raw event, in the order in which the rules are tested. Its inbox has lanes only: no raw event
// is known to it. Values; any thread.
#pragma once

#include <cstdint>

#include "shared/codec/field.h"

namespace granary::billing {

enum class Refusal : std::uint8_t { unknown_type = 1 };

}  // namespace granary::billing

GRANARY_ENUM_NAMES(granary::billing::Refusal, "unknown_type");
