// Holds: what a running job has used by its newest interim figure is reserved, so that its lots do not promise it to
// others. The final usage releases the hold, then is charged like any other; what a hold has reserved does not expire
// before. The hold of a job that was reported under another project since is settled by metering; that of a job of
// which nothing is heard for the published time lapses, with a notice.
#include "services/allocation/core/machine.h"
#include "shared/base/probe.h"

#include <algorithm>
#include <tuple>

namespace granary::allocation {

using events::PostingCause;

namespace {

bool is_of(const HeldPart& part, const events::MeteredAmount& amount) {
  return part.class_name == amount.class_name && part.unit == amount.unit;
}

// How many holds may lapse at one tick, so that a tick ends soon; the others do at the next ones.
constexpr std::size_t kLapsesMax = 1000;

Amount held_of(const HoldRow& hold, const events::MeteredAmount& amount) {
  Amount held;
  for (const HeldPart& part : hold.parts)
    if (is_of(part, amount)) held += part.amount;
  return held;
}

}  // namespace

void AllocationMachine::take_interim(const events::UsageHeld& held, const Input&, const Context& context, Out& out) {
  fold_interim(held, context, out);
}

void AllocationMachine::settle_hold(const events::HoldSettled& settled, const Input&, const Context& context,
                                    Out& out) {
  release_hold(settled.project, settled.source, settled.id, settled.at, context, out);
}

void AllocationMachine::fold_interim(const events::UsageHeld& held, const Context& context, Out& out) {
  const ProjectRow* project = find_project(held.project);
  if (project == nullptr) {
    GRANARY_PROBE("a figure of a running job names an unknown project");
    ++edit_counts().interim_ignored;
    return;
  }
  const BytesView key = keys_.hold(held.project, held.source, held.id);
  const HoldRow* known = holds_.find(key);
  if (known != nullptr && held.measured_at <= known->measured_at) {
    GRANARY_PROBE("a figure that is older than its hold reaches allocation");
    return;
  }
  const bool is_new = known == nullptr;
  HoldRow& hold = holds_.edit(key);
  if (!is_new) heard_.erase(keys_.heard(hold.heard_at, key));
  hold.measured_at = held.measured_at;
  // The later of the two: before the first tick `now` is 1970.
  hold.heard_at = std::max(context.now, held.measured_at);
  heard_.edit(keys_.heard(hold.heard_at, key));
  first_heard_ = first_heard_ ? std::min(*first_heard_, hold.heard_at) : hold.heard_at;
  if (is_new) ++projects_.edit(keys_.project(held.project)).holds;

  // What is held beyond the new figure goes back first, the newest of it before the older.
  for (auto part = hold.parts.rbegin(); part != hold.parts.rend(); ++part) {
    Amount excess = part->amount;
    for (const events::MeteredAmount& amount : held.amounts)
      if (is_of(*part, amount)) excess = std::min(excess, held_of(hold, amount) - amount.charged);
    if (excess <= Amount()) continue;
    GRANARY_PROBE("a figure holds less than the one before");
    release(*part, excess, held.project, *project, held.measured_at, context, out);
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
  expire_due_of(account, id, project, context, out);
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
    if (same != hold.parts.end()) {
      same->amount += amount;
      continue;
    }
    if (!hold.parts.empty()) GRANARY_PROBE("a hold takes of a second lot or class");
    hold.parts.push_back({std::string(id.class_name), id.unit, lot.grant, lot.ordinal, amount});
  }
  if (!missing.is_zero()) GRANARY_PROBE("a running job has used more than its lots can reserve");
}

void AllocationMachine::release(HeldPart& part, Amount amount, BytesView project_name, const ProjectRow& project,
                                Instant at, const Context& context, Out& out) {
  const AccountId id{project_name, part.class_name, part.unit};
  AccountRow& account = edit_account(id);
  const auto lot = std::find_if(account.lots.begin(), account.lots.end(),
                                [&](const Lot& one) { return one.grant == part.grant && one.ordinal == part.ordinal; });
  GRANARY_CHECK(lot != account.lots.end(), "a hold on a lot that is not there");
  const Account to = context.now < lot->to ? Account::available : Account::expired;
  if (to == Account::expired) GRANARY_PROBE("a hold is released after the end of its lot");
  move({Account::reserved, to, amount, PostingCause::released, at}, *lot, id, project, context, out);
  part.amount -= amount;
}

void AllocationMachine::release_hold(BytesView project, BytesView source, BytesView id, Instant at,
                                     const Context& context, Out& out) {
  const BytesView key = keys_.hold(project, source, id);
  if (holds_.find(key) == nullptr) {
    GRANARY_PROBE("a hold that is to be released is not there");
    return;
  }
  end_hold(key, project, at, context, out);
}

void AllocationMachine::end_hold(BytesView key, BytesView project_name, Instant at, const Context& context, Out& out) {
  ProjectRow& project = projects_.edit(keys_.project(project_name));
  --project.holds;
  HoldRow& hold = holds_.edit(key);
  for (HeldPart& part : hold.parts) release(part, part.amount, project_name, project, at, context, out);
  heard_.erase(keys_.heard(hold.heard_at, key));
  holds_.erase(key);
}

void AllocationMachine::lapse_holds(const Context& context, Out& out) {
  const std::int64_t silent_ms = policies_.silent_hours_max(context.now) * units::kHourMs;
  const Instant until = context.now.plus_ms(-silent_ms);
  if (!first_heard_ || *first_heard_ > until) return;
  first_heard_.reset();
  std::vector<Bytes> due;
  heard_.scan({}, [&](BytesView key, const KeyRow&) {
    const Instant heard_at(read_i64(key));
    if (heard_at <= until && due.size() < kLapsesMax) return due.emplace_back(key), true;
    first_heard_ = heard_at;
    return false;
  });
  if (due.size() == kLapsesMax) GRANARY_PROBE("more holds lapse than one tick may end");
  for (const Bytes& heard : due) {
    const Bytes key = heard.substr(sizeof(std::int64_t));
    BytesView rest = key;
    const auto project = take_part(rest);
    const auto source = take_part(rest);
    const auto id = take_part(rest);
    GRANARY_CHECK(project && source && id, "a key of holds has another form");
    events::HoldLapsed lapsed;
    lapsed.project = *project;
    lapsed.source = *source;
    lapsed.id = *id;
    lapsed.heard_at = Instant(read_i64(heard));
    lapsed.at = context.now;
    lapsed.organisation = find_project(*project)->organisation;
    // By class and unit, in their order: a part is of one lot.
    std::map<std::pair<std::string, UnitKind>, Amount> held;
    for (const HeldPart& part : holds_.find(key)->parts) held[{part.class_name, part.unit}] += part.amount;
    if (held.empty()) GRANARY_PROBE("a hold lapses that held nothing");
    end_hold(key, *project, context.now, context, out);
    for (const auto& [class_and_unit, amount] : held) {
      std::tie(lapsed.class_name, lapsed.unit) = class_and_unit;
      lapsed.amount = amount;
      out.publish(context.shard, lapsed);
    }
  }
}

}  // namespace granary::allocation
