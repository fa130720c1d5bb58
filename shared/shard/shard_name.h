// What a shard is called. A value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "shared/machine/topology.h"

namespace granary::runtime {

using ShardName = std::pair<machine::MachineKind, std::uint16_t>;
// "allocation-3": of its state, its markers, its lines.
std::string name_of(const ShardName& shard);

}  // namespace granary::runtime
