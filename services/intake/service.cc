#include "services/intake/service.h"

#include "services/intake/core/machine.h"
#include "services/intake/http/routes.h"

namespace granary::intake {

service::Hosted hosted() {
  return {machine::MachineKind::intake, [] { return std::make_unique<IntakeMachine>(); }, routes};
}

}  // namespace granary::intake
