#include "services/standalone/machines.h"

#include "services/allocation/service.h"
#include "services/billing/service.h"
#include "services/intake/service.h"
#include "services/metering/service.h"

namespace granary::standalone {

const std::vector<service::Hosted>& services() {
  static const std::vector<service::Hosted> all{intake::hosted(), metering::hosted(), allocation::hosted(),
                                                billing::hosted()};
  return all;
}

std::unique_ptr<machine::Machine> make_machine(machine::MachineKind machine, std::uint16_t) {
  for (const service::Hosted& one : services())
    if (one.machine == machine) return one.make();
  return nullptr;
}

}  // namespace granary::standalone
