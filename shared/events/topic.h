// The four machines and the topics between them, by name (what flows where: shared/machine/topology.h).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "shared/codec/field.h"

namespace granary::events {

enum class MachineKind : std::uint8_t { intake = 1, metering, allocation, billing };

enum class Topic : std::uint8_t {
  applications = 1,
  usage,
  allocations,
  ledger,
  billing,
  notices,
  rejected,
  checkpoints
};

// "granary.usage.v1"
std::string_view topic_name(Topic topic);

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::MachineKind, "intake", "metering", "allocation", "billing");
