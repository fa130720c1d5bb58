// An account is bound to a project: usage that waited for it goes on.
#include "services/metering/core/machine.h"

namespace granary::metering {

using machine::Context;
using machine::Out;

void MeteringMachine::bind_account(const events::AccountBound& binding, const machine::LaneInput&,
                                   const Context& context, Out& out) {
  facts_.bind(binding, shard());
  release(account_key(binding.cluster, binding.account), context, out);
}

}  // namespace granary::metering
