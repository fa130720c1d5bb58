// A policy is published: usage of bound accounts that the classes did not measure goes on if a new list measures it.
#include "services/metering/core/machine.h"

namespace granary::metering {

using machine::Context;
using machine::Out;

void MeteringMachine::learn_policy(const events::PolicyPublished& policy, const machine::LaneInput& input,
                                   const Context& context, Out& out) {
  facts_.publish(policy, shard());
  if (policy.kind != events::PolicyKind::resource_classes || unmeasured_ == 0) return;
  machine::SweepRow sweep;
  sweep.kind = static_cast<std::uint64_t>(Sweep::classes);
  std::size_t rows = machine::kSweepRows;
  sweeps_.begin(std::move(sweep), input, context.now, rows, sweep_step(context, out));
}

}  // namespace granary::metering
