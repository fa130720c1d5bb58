// An account is bound to a project: usage that waited for it goes on.
#include "services/metering/core/machine.h"

namespace granary::metering {

using machine::Context;
using machine::Out;

void MeteringMachine::bind_account(const events::AccountBound& binding, const machine::LaneInput& input,
                                   const Context& context, Out& out) {
  facts_.bind(binding, shard());
  const Bytes account = account_key(binding.cluster, binding.account);
  const WaitingHead* head = waiting_heads_.find(account);
  if (head == nullptr) return;
  machine::SweepRow sweep;
  sweep.kind = static_cast<std::uint64_t>(Sweep::account);
  sweep.name = account;
  sweep.next = head->first;
  std::size_t rows = machine::kSweepRows;
  sweeps_.begin(std::move(sweep), input, context.now, rows, sweep_step(context, out));
}

}  // namespace granary::metering
