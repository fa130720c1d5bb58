// An account is bound to a project: usage that waited for it goes on.
#include "services/metering/core/machine.h"
#include "shared/base/probe.h"

namespace granary::metering {

using machine::Context;
using machine::Out;

void MeteringMachine::bind_account(const events::AccountBound& binding, const machine::LaneInput&,
                                   const Context& context, Out& out) {
  facts_.bind(binding, shard());
  release(binding, context, out);
}

// Usage that waited for this account goes its way, in the order in which it came, by the facts of now.
void MeteringMachine::release(const events::AccountBound& binding, const Context& context, Out& out) {
  const Bytes account = account_key(binding.cluster, binding.account);
  if (waiting_heads_.find(account) == nullptr) return;
  WaitingHead& head = waiting_heads_.edit(account);
  bool at_front = true;
  for (std::uint64_t number = head.first; number < head.next; ++number) {
    const Bytes key = waiting_key(account, number);
    const WaitingUsage* waiting = waiting_.find(key);
    if (waiting == nullptr) {
      GRANARY_PROBE("usage that waits stands behind a hole of its queue");
    } else {
      const std::string& project = facts_.project_of(binding.cluster, binding.account, waiting->usage.start);
      if (project.empty() || measure(waiting->usage.resources, waiting->usage.start, waiting->usage.end,
                                     metered_.amounts, metered_.classes_version)) {
        GRANARY_PROBE("usage waits on after its account was bound");
        at_front = false;
        continue;
      }
      const auto [partition, sent] = send(waiting->source, waiting->id, project, waiting->usage, waiting->notes,
                                          waiting->recorded_at, context, out);
      // Its bucket may have gone while it waited; then nobody asks for it any more.
      if (ids_.find(waiting->identity))
        ids_.set_lane(waiting->identity, partition, sent);
      else
        GRANARY_PROBE("the id of a usage has gone while the usage waited");
      SourceRow& source = sources_.edit(waiting->source);
      --source.pending;
      ++source.metered;
      waiting_.erase(key);
      --head.count;
      --unbound_;
    }
    if (at_front) head.first = number + 1;
  }
  if (head.count == 0) waiting_heads_.erase(account);
}

}  // namespace granary::metering
