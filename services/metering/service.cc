#include "services/metering/service.h"

#include "services/metering/core/machine.h"
#include "services/metering/http/routes.h"

namespace granary::metering {

service::Hosted hosted() {
  return {machine::MachineKind::metering, [] { return std::make_unique<MeteringMachine>(); }, routes};
}

}  // namespace granary::metering
