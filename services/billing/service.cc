#include "services/billing/service.h"

#include "services/billing/core/machine.h"
#include "services/billing/http/routes.h"

namespace granary::billing {

service::Hosted hosted() {
  return {machine::MachineKind::billing, [] { return std::make_unique<BillingMachine>(); }, routes};
}

}  // namespace granary::billing
