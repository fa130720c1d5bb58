// A source states up to when its usage is complete.
#include "services/billing/core/machine.h"

namespace granary::billing {

using machine::Context;

void BillingMachine::state_source(const events::SourceCompleted& completed, const Input& input, const Context&, Out&) {
  SourceRow& row = sources_.edit(source_key(completed.source, input.shard));
  row.complete_through = completed.complete_through;
  row.records = completed.records;
}

}  // namespace granary::billing
