// A policy is published.
#include "services/metering/core/machine.h"

namespace granary::metering {

using machine::Context;
using machine::Out;

void MeteringMachine::learn_policy(const events::PolicyPublished& policy, const machine::LaneInput&, const Context&,
                                   Out&) {
  facts_.publish(policy, shard());
}

}  // namespace granary::metering
