// The four machines of this process, and where each shard's state lies. Any thread.
#pragma once

#include <memory>
#include <string>

#include "shared/machine/machine.h"

namespace granary::standalone {

std::unique_ptr<machine::Machine> make_machine(machine::MachineKind machine, std::uint16_t shard);
// Below a data directory.
std::string state_directory(const std::string& data, machine::MachineKind machine, std::uint16_t shard);

}  // namespace granary::standalone
