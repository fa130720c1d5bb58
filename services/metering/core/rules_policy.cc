// A policy is published: usage of bound accounts that the classes did not measure goes on if a new list measures it.
#include "services/metering/core/machine.h"

namespace granary::metering {

using machine::Context;
using machine::Out;

void MeteringMachine::learn_policy(const events::PolicyPublished& policy, const machine::LaneInput&,
                                   const Context& context, Out& out) {
  facts_.publish(policy, shard());
  if (policy.kind == events::PolicyKind::resource_classes) release_unmeasured(context, out);
}

}  // namespace granary::metering
