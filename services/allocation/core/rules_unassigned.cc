// Usage of a project that nobody knows yet: it waits, posted as `unassigned`, and is charged when the project comes.
#include "services/allocation/core/machine.h"

namespace granary::allocation {

void AllocationMachine::keep_unassigned(const Metered& metered) {
  const events::UsageMetered& usage = metered.usage;
  for (const events::MeteredAmount& amount : usage.amounts) {
    AccountRow& account = edit_account({usage.project, amount.class_name, amount.unit});
    ++account.records;
    account.raw += amount.raw;
    account.outside -= amount.charged;
    account.unassigned += amount.charged;
  }
  const std::uint64_t place = waiting_.edit(keys_.project(usage.project)).next++;
  waiting_usage_.edit(keys_.waiting_usage(usage.project, place)) = {usage, metered.shard, metered.number};
  ++edit_counts().waiting;
}

void AllocationMachine::release_waiting(BytesView project, const Context& context, Out& out) {
  const WaitingQueue* found = waiting_.find(keys_.project(project));
  if (found == nullptr) return;
  const WaitingQueue queue = *found;
  waiting_.erase(keys_.project(project));
  edit_counts().waiting -= queue.next - queue.first;
  const ProjectRow* row = find_project(project);
  for (std::uint64_t place = queue.first; place < queue.next; ++place) {
    const BytesView key = keys_.waiting_usage(project, place);
    const WaitingUsage* waiting = waiting_usage_.find(key);
    GRANARY_CHECK(waiting != nullptr, "a place in a queue of usage is empty");
    charge({waiting->usage, waiting->metering_shard, waiting->metering_number}, *row, Arrival::released, context, out);
    waiting_usage_.erase(key);
  }
}

}  // namespace granary::allocation
