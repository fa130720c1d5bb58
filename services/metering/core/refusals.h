// Why metering refuses a usage, in the order in which the rules are tested. The names are the reasons on the wire. A
// repeat is told before all of them: what was taken once stays taken.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "shared/machine/machine.h"

namespace granary::metering {

enum class Refusal : std::uint8_t {
  conflicting_duplicate,
  event_too_large,
  usage_too_old,
  unknown_resource_class,
  unit_differs,
  quantity_too_precise,
  quantity_overflow,
};

constexpr std::string_view refusal_name(Refusal refusal) {
  constexpr auto kNames = std::to_array<std::string_view>({"conflicting_duplicate", "event_too_large", "usage_too_old",
                                                           "unknown_resource_class", "unit_differs",
                                                           "quantity_too_precise", "quantity_overflow"});
  return kNames[static_cast<std::size_t>(refusal)];
}

inline machine::Outcome refuse(Refusal refusal, std::string field, std::string hint) {
  return machine::Outcome::refuse(refusal_name(refusal), std::move(field), std::move(hint));
}

}  // namespace granary::metering
