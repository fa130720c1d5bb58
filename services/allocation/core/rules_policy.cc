// A policy is published.
#include "services/allocation/core/machine.h"

namespace granary::allocation {

void AllocationMachine::learn_policy(const events::PolicyPublished& policy, const Input&, const Context&, Out&) {
  policies_.publish(policy);
}

}  // namespace granary::allocation
