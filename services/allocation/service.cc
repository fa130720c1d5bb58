#include "services/allocation/service.h"

#include "services/allocation/core/machine.h"
#include "services/allocation/http/routes.h"

namespace granary::allocation {

service::Hosted hosted() {
  return {machine::MachineKind::allocation, [] { return std::make_unique<AllocationMachine>(); }, routes};
}

}  // namespace granary::allocation
