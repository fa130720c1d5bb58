// Units are posted: counted.
#include "services/billing/core/machine.h"

namespace granary::billing {

using machine::Context;

void BillingMachine::take_posting(const events::UnitsPosted& posted, const Input&, const Context&, Out&) {
  GRANARY_CHECK(posted.from_account != posted.to_account, "units are posted from an account to itself");
  GRANARY_CHECK(posted.amount.value() > 0, "units are posted with an amount that is not above 0");
  ++totals().postings;
}

}  // namespace granary::billing
