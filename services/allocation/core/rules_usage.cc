// Usage that has ended: counted, then charged, or kept until its project is known.
#include "services/allocation/core/machine.h"
#include "shared/base/probe.h"

namespace granary::allocation {

using events::ChargePart;
using machine::Topic;

void AllocationMachine::take_usage(const events::UsageMetered& usage, const Input& input, const Context& context,
                                   Out& out) {
  fold_usage({usage, input.shard, input.number}, context, out);
}

void AllocationMachine::fold_usage(const Metered& metered, const Context& context, Out& out) {
  const events::UsageMetered& usage = metered.usage;
  GRANARY_CHECK(usage.start <= usage.end, "a usage ends before it starts");
  for (const events::MeteredAmount& amount : usage.amounts)
    GRANARY_CHECK(amount.raw >= Amount() && amount.charged >= Amount(), "a metered amount is below zero");
  const ProjectRow* project = find_project(usage.project);
  if (project == nullptr) return keep_unassigned(metered);
  if (is_swept(usage.project)) {
    GRANARY_PROBE("usage waits behind what waited for its project");
    return keep_unassigned(metered);
  }
  if (project->holds > 0) release_hold(usage.project, usage.source, usage.id, usage.end, context, out);
  charge(metered, *project, Arrival::fresh, context, out);
}

std::size_t AllocationMachine::charge(const Metered& metered, const ProjectRow& project, Arrival arrival,
                                      const Context& context, Out& out) {
  const events::UsageMetered& usage = metered.usage;
  const auto& order = policies_.burn_order(usage.start);
  charge_.start();
  for (const events::MeteredAmount& amount : usage.amounts) {
    const AccountId id{usage.project, amount.class_name, amount.unit};
    AccountRow& account = edit_account(id);
    if (arrival == Arrival::fresh) {
      ++account.records;
      account.raw += amount.raw;
    } else {
      account.unassigned -= amount.charged;
      account.outside += amount.charged;
    }
    expire_due_of(account, id, project, context, out);
    if (!amount.charged.is_zero()) charge_.add(account, id, {usage.start, usage.end}, amount.charged, order);
  }
  const std::size_t parts = charge_.parts().size();
  if (parts == 0) return 0;
  if (charge_.has_uncovered()) {
    const Overdraft overdraft = policies_.overdraft(usage.project, usage.start);
    for (ChargePart& part : charge_.parts()) {
      if (part.to_account != Account::uncovered) continue;
      part.funding = overdraft.funding;
      part.seller = overdraft.seller;
      part.purpose = project.purpose;
    }
  }
  send_charge(metered, project, context, out);
  for (const Charge::Exhausted& one : charge_.exhausted())
    out.publish(context.shard,
                lot_notice<events::LotExhausted>(*one.lot, one.account, project, one.lot->granted, context.now));
  return parts;
}

void AllocationMachine::send_charge(const Metered& metered, const ProjectRow& project, const Context& context,
                                    Out& out) {
  const events::UsageMetered& usage = metered.usage;
  charged_.source = usage.source;
  charged_.id = usage.id;
  charged_.project = usage.project;
  charged_.organisation = project.organisation;
  charged_.start = usage.start;
  charged_.end = usage.end;
  charged_.recorded_at = usage.recorded_at;
  charged_.metering_shard = metered.shard;
  charged_.metering_number = metered.number;
  charged_.job = usage.job;
  charged_.reservation = usage.reservation;
  const std::uint16_t partition = context.router->shard_of(project.organisation);
  slice_ends(charge_.parts(), slice_ends_);
  charged_.slices = slice_ends_.size();
  charged_.slice = 1;
  if (charged_.slices == 1) {
    charged_.parts.swap(charge_.parts());
    out.emit(Topic::ledger, partition, charged_);
    return;
  }
  GRANARY_PROBE("a charge is sent in slices");
  auto from = charge_.parts().begin();
  for (const std::size_t end : slice_ends_) {
    const auto to = charge_.parts().begin() + static_cast<std::ptrdiff_t>(end);
    charged_.parts.assign(from, to);
    out.emit(Topic::ledger, partition, charged_);
    ++charged_.slice;
    from = to;
  }
}

}  // namespace granary::allocation
