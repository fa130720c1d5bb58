// The four services of `granary`. Any thread.
#pragma once

#include <memory>
#include <vector>

#include "shared/service/server.h"

namespace granary::standalone {

// In the order of the flow.
const std::vector<service::Hosted>& services();

std::unique_ptr<machine::Machine> make_machine(machine::MachineKind machine, std::uint16_t shard);

}  // namespace granary::standalone
