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

bool AllocationMachine::is_swept(BytesView project) const {
  return sweeps_.any() && sweeps_.find(static_cast<std::uint64_t>(Sweep::project), project) != nullptr;
}

namespace {

// A usage of more parts counts as several rows: its classes, months and lots may make thousands of it.
constexpr std::size_t kPartsOfRow = 64;

}  // namespace

std::size_t AllocationMachine::release_waiting(BytesView project, std::size_t rows, const Context& context, Out& out,
                                               bool& is_done) {
  is_done = true;
  if (waiting_.find(keys_.project(project)) == nullptr) return 0;
  WaitingQueue& queue = waiting_.edit(keys_.project(project));
  const ProjectRow* row = find_project(project);
  std::size_t done = 0;
  for (; queue.first < queue.next && done < rows; ++queue.first) {
    // Its key is made again behind the charge, which uses the same memory for its own.
    const WaitingUsage* waiting = waiting_usage_.find(keys_.waiting_usage(project, queue.first));
    GRANARY_CHECK(waiting != nullptr, "a place in a queue of usage is empty");
    const events::UsageMetered& usage = waiting->usage;
    if (row->holds > 0) release_hold(usage.project, usage.source, usage.id, usage.end, context, out);
    const std::size_t parts =
        charge({usage, waiting->metering_shard, waiting->metering_number}, *row, Arrival::released, context, out);
    done += 1 + parts / kPartsOfRow;
    waiting_usage_.erase(keys_.waiting_usage(project, queue.first));
    --edit_counts().waiting;
  }
  is_done = queue.first == queue.next;
  if (is_done) waiting_.erase(keys_.project(project));
  return done;
}

}  // namespace granary::allocation
