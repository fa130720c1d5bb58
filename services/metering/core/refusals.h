// Why metering refuses a usage, in the order in which the rules are tested. The names are the reasons on the wire. A
// repeat is found before all of them: what was taken once stays taken. Values; any thread.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "shared/machine/machine.h"

namespace granary::metering {

enum class Refusal : std::uint8_t {
  conflicting_duplicate,
  event_too_large,
  usage_too_old,
  usage_too_long,
  unknown_resource_class,
  unit_differs,
  quantity_too_precise,
  quantity_overflow,
};

// The wire's reason strings.
inline constexpr auto kRefusalNames = std::to_array<std::string_view>({
    "conflicting_duplicate",
    "event_too_large",
    "usage_too_old",
    "usage_too_long",
    "unknown_resource_class",
    "unit_differs",
    "quantity_too_precise",
    "quantity_overflow",
});
static_assert(kRefusalNames.size() == static_cast<std::size_t>(Refusal::quantity_overflow) + 1);

// `field` is a JSON pointer into the event's data.
inline machine::Outcome refuse(Refusal refusal, std::string field, std::string hint) {
  return machine::Outcome::refuse(kRefusalNames[static_cast<std::size_t>(refusal)], std::move(field), std::move(hint));
}

}  // namespace granary::metering
