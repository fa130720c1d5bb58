// Holds: what a running job has used by its newest interim figure is reserved, so that its lots do not promise it to
// others. The final usage releases the hold, then is charged like any other. A hold lives until then, whatever time
// passes: what it has reserved does not expire before.
#include "services/allocation/core/allocation_machine.h"

#include <algorithm>

namespace granary::allocation {

using events::PostingCause;

namespace {

void hold_key(BytesView project, BytesView source, BytesView id, Bytes& key) {
  project_key(project, key);
  append_part(key, source);
  append_part(key, id);
}

bool is_of(const HeldPart& part, const events::MeteredAmount& amount) {
  return part.class_name == amount.class_name && part.unit == amount.unit;
}

Amount held_of(const HoldRow& hold, const events::MeteredAmount& amount) {
  Amount held;
  for (const HeldPart& part : hold.parts)
    if (is_of(part, amount)) held += part.amount;
  return held;
}

}  // namespace

void AllocationMachine::fold_interim(const events::UsageHeld& held, const Context& context, Out& out) {
  const ProjectRow* project = find_project(held.project);
  if (project == nullptr) {
    ++edit_counts().interim_ignored;
    return;
  }
  hold_key(held.project, held.source, held.id, key_);
  const HoldRow* known = holds_.find(key_);
  if (known != nullptr && held.measured_at <= known->measured_at) return;
  HoldRow& hold = holds_.edit(key_);
  if (known == nullptr) {
    project_key(held.project, key_);
    ++projects_.edit(key_).holds;
  }
  hold.measured_at = held.measured_at;

  // What is held beyond the new figure goes back first, the newest of it before the older.
  for (auto part = hold.parts.rbegin(); part != hold.parts.rend(); ++part) {
    Amount excess = part->amount;
    for (const events::MeteredAmount& amount : held.amounts)
      if (is_of(*part, amount)) excess = std::min(excess, held_of(hold, amount) - amount.charged);
    if (excess > Amount()) release(*part, excess, held.project, *project, held.measured_at, context, out);
  }
  std::erase_if(hold.parts, [](const HeldPart& part) { return part.amount.is_zero(); });
  for (const events::MeteredAmount& amount : held.amounts) {
    const AccountId id{held.project, amount.class_name, amount.unit};
    const Amount missing = amount.charged - held_of(hold, amount);
    if (missing > Amount()) reserve(hold, id, missing, held, *project, context, out);
  }
}

void AllocationMachine::reserve(HoldRow& hold, const AccountId& id, Amount missing, const events::UsageHeld& held,
                                const ProjectRow& project, const Context& context, Out& out) {
  AccountRow& account = edit_account(id);
  lots_in_burn_order(account.lots, {held.measured_at, held.measured_at}, policies_.burn_order(held.start), indices_);
  for (const std::size_t index : indices_) {
    Lot& lot = account.lots[index];
    const Amount amount = std::min(missing, lot.available);
    if (amount.is_zero()) continue;
    move({Account::available, Account::reserved, amount, PostingCause::held, held.measured_at}, lot, id, project,
         context, out);
    missing -= amount;
    const auto same = std::find_if(hold.parts.begin(), hold.parts.end(), [&](const HeldPart& part) {
      return part.grant == lot.grant && part.ordinal == lot.ordinal && part.class_name == id.class_name &&
             part.unit == id.unit;
    });
    if (same != hold.parts.end())
      same->amount += amount;
    else
      hold.parts.push_back({std::string(id.class_name), id.unit, lot.grant, lot.ordinal, amount});
  }
}

void AllocationMachine::release(HeldPart& part, Amount amount, BytesView project_name, const ProjectRow& project,
                                Instant at, const Context& context, Out& out) {
  const AccountId id{project_name, part.class_name, part.unit};
  AccountRow& account = edit_account(id);
  const auto lot = std::find_if(account.lots.begin(), account.lots.end(),
                                [&](const Lot& one) { return one.grant == part.grant && one.ordinal == part.ordinal; });
  GRANARY_CHECK(lot != account.lots.end(), "a hold on a lot that is not there");
  const Account to = context.now < lot->to ? Account::available : Account::expired;
  move({Account::reserved, to, amount, PostingCause::released, at}, *lot, id, project, context, out);
  part.amount -= amount;
}

void AllocationMachine::release_hold(const events::UsageMetered& usage, const Context& context, Out& out) {
  Bytes key;
  hold_key(usage.project, usage.source, usage.id, key);
  if (holds_.find(key) == nullptr) return;
  project_key(usage.project, key_);
  ProjectRow& project = projects_.edit(key_);
  --project.holds;
  for (HeldPart& part : holds_.edit(key).parts)
    release(part, part.amount, usage.project, project, usage.end, context, out);
  holds_.erase(key);
}

}  // namespace granary::allocation
