#include "services/standalone/machines.h"

#include "services/allocation/core/allocation_machine.h"
#include "services/billing/core/billing_machine.h"
#include "services/intake/core/intake_machine.h"
#include "services/metering/core/metering_machine.h"

namespace granary::standalone {

using machine::MachineKind;

std::unique_ptr<machine::Machine> make_machine(MachineKind machine, std::uint16_t) {
  switch (machine) {
    case MachineKind::intake:
      return std::make_unique<intake::IntakeMachine>();
    case MachineKind::metering:
      return std::make_unique<metering::MeteringMachine>();
    case MachineKind::allocation:
      return std::make_unique<allocation::AllocationMachine>();
    case MachineKind::billing:
      return std::make_unique<billing::BillingMachine>();
  }
  return nullptr;
}

std::string state_directory(const std::string& data, MachineKind machine, std::uint16_t shard) {
  return data + "/state/" + std::string(machine::machine_name(machine)) + "-" + std::to_string(shard);
}

}  // namespace granary::standalone
