// An organisation is registered.
#include "services/billing/core/machine.h"

namespace granary::billing {

using machine::Context;

void BillingMachine::register_organisation(const events::OrganisationRegistered& registered, const Input&,
                                           const Context&, Out&) {
  OrganisationRow& row = organisations_.edit(registered.organisation);
  row.name = registered.name;
  row.kind = registered.kind;
  row.country = registered.country;
  row.undertaking = registered.undertaking;
}

}  // namespace granary::billing
