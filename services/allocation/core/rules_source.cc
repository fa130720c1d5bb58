// A source states up to when its usage is complete.
#include "services/allocation/core/machine.h"

namespace granary::allocation {

using machine::Topic;

void AllocationMachine::state_source(const events::SourceCompleted& completed, const Input& input,
                                     const Context& context, Out& out) {
  if (const auto complete = sources_.reported(completed, input.shard, context.partitions))
    out.broadcast(Topic::ledger, context.partitions, *complete);
}

}  // namespace granary::allocation
