#include "services/allocation/core/machine.h"

#include <algorithm>

#include "shared/base/probe.h"

namespace granary::allocation {

using events::PostingCause;
using machine::Topic;

AllocationMachine::AllocationMachine(std::size_t rows_max)
    : projects_(static_cast<std::uint8_t>(Table::projects), rows_max),
      accounts_(static_cast<std::uint8_t>(Table::accounts), rows_max),
      waiting_(static_cast<std::uint8_t>(Table::waiting), rows_max),
      waiting_usage_(static_cast<std::uint8_t>(Table::waiting_usage), rows_max),
      holds_(static_cast<std::uint8_t>(Table::holds), rows_max),
      ends_(static_cast<std::uint8_t>(Table::ends), rows_max),
      counts_(static_cast<std::uint8_t>(Table::counts), rows_max),
      heard_(static_cast<std::uint8_t>(Table::heard), rows_max),
      refs_(static_cast<std::uint8_t>(Table::refs), rows_max),
      policies_(rows_max),
      sources_(rows_max) {}

void AllocationMachine::open(const store::View& rows) {
  show(rows);
  first_end_.reset();
  ends_.scan({}, [this](BytesView key, const KeyRow&) {
    first_end_ = Instant(read_i64(key));
    return false;
  });
  first_heard_.reset();
  heard_.scan({}, [this](BytesView key, const KeyRow&) {
    first_heard_ = Instant(read_i64(key));
    return false;
  });
}

void AllocationMachine::show(const store::View& rows) {
  projects_.open(rows);
  accounts_.open(rows);
  waiting_.open(rows);
  waiting_usage_.open(rows);
  holds_.open(rows);
  ends_.open(rows);
  counts_.open(rows);
  heard_.open(rows);
  refs_.open(rows);
  policies_.open(rows);
  sources_.open(rows);
}

const AllocationMachine::Rules& AllocationMachine::rules() {
  static const Rules kRules = Rules()
                                  .lane<events::UsageMetered, &AllocationMachine::take_usage>()
                                  .lane<events::UsageHeld, &AllocationMachine::take_interim>()
                                  .lane<events::HoldSettled, &AllocationMachine::settle_hold>()
                                  .lane<events::ProjectOpened, &AllocationMachine::open_project>()
                                  .lane<events::GrantOpened, &AllocationMachine::open_grant>()
                                  .lane<events::PolicyPublished, &AllocationMachine::learn_policy>()
                                  .lane<events::SourceCompleted, &AllocationMachine::state_source>();
  return kRules;
}

bool AllocationMachine::has_rule(machine::Way way, const events::Event& event, std::uint64_t version) const {
  return rules().has(way, event, version);
}

machine::Outcome AllocationMachine::apply_raw(const machine::RawInput& input, const Context& context, Out& out) {
  return rules().apply(*this, input, context, out);
}

void AllocationMachine::apply_lane(const machine::LaneInput& input, const Context& context, Out& out) {
  rules().apply(*this, input, context, out);
}

void AllocationMachine::take_usage(const events::UsageMetered& usage, const Input& input, const Context& context,
                                   Out& out) {
  fold_usage({usage, input.shard, input.number}, context, out);
}

void AllocationMachine::take_interim(const events::UsageHeld& held, const Input&, const Context& context, Out& out) {
  fold_interim(held, context, out);
}

void AllocationMachine::settle_hold(const events::HoldSettled& settled, const Input&, const Context& context,
                                    Out& out) {
  release_hold(settled.project, settled.source, settled.id, settled.at, context, out);
}

void AllocationMachine::learn_policy(const events::PolicyPublished& policy, const Input&, const Context&, Out&) {
  policies_.publish(policy);
}

void AllocationMachine::state_source(const events::SourceCompleted& completed, const Input& input,
                                     const Context& context, Out& out) {
  if (const auto complete = sources_.reported(completed, input.shard, context.partitions))
    out.broadcast(Topic::ledger, context.partitions, *complete);
}

void AllocationMachine::apply_tick(Instant, const Context& context, Out& out) {
  expire_lots(context, out);
  lapse_holds(context, out);
}

void AllocationMachine::expire_lots(const Context& context, Out& out) {
  if (!first_end_ || *first_end_ > context.now) return;
  first_end_.reset();
  std::vector<Bytes> due;
  ends_.scan({}, [&](BytesView key, const KeyRow&) {
    const Instant end(read_i64(key));
    if (end > context.now) {
      first_end_ = end;
      return false;
    }
    due.emplace_back(key);
    return true;
  });
  for (const Bytes& key : due) {
    ends_.erase(key);
    const BytesView account_key = BytesView(key).substr(sizeof(std::int64_t));
    const AccountId id = account_of(account_key);
    const ProjectRow* project = find_project(id.project);
    GRANARY_CHECK(project != nullptr, "a lot of a project that nobody knows");
    for (Lot& lot : accounts_.edit(account_key).lots)
      if (lot.to == Instant(read_i64(key))) expire(lot, id, *project, context, out);
  }
}

void AllocationMachine::flush(store::WriteSet& rows) {
  projects_.flush(rows);
  accounts_.flush(rows, [](const Bytes&, const AccountRow* account) {
    if (account != nullptr) check_books(*account);
  });
  waiting_.flush(rows);
  waiting_usage_.flush(rows);
  holds_.flush(rows);
  ends_.flush(rows);
  counts_.flush(rows);
  heard_.flush(rows);
  refs_.flush(rows);
  policies_.flush(rows);
  sources_.flush(rows);
}

void AllocationMachine::committed() {
  projects_.shrink();
  accounts_.shrink();
  waiting_.shrink();
  waiting_usage_.shrink();
  holds_.shrink();
  ends_.shrink();
  counts_.shrink();
  heard_.shrink();
  refs_.shrink();
  policies_.shrink();
  sources_.shrink();
}

AccountRow& AllocationMachine::edit_account(const AccountId& id) {
  account_key(id, key_);
  return accounts_.edit(key_);
}

const ProjectRow* AllocationMachine::find_project(BytesView project) {
  project_key(project, key_);
  return projects_.find(key_);
}

void AllocationMachine::open_project(const events::ProjectOpened& opened, const Input&, const Context& context,
                                     Out& out) {
  GRANARY_CHECK(find_project(opened.project) == nullptr, "a project was opened twice");
  ProjectRow& row = projects_.edit(key_);
  row.organisation = opened.organisation;
  row.customer_kind = opened.customer_kind;
  row.purpose = opened.purpose;
  row.from = opened.from;
  row.refs = opened.refs;
  for (const events::Ref& ref : opened.refs) refs_.edit(ref_key(ref)).project = opened.project;
  out.publish(context.shard, opened);
  release_waiting(opened.project, context, out);
}

void AllocationMachine::open_grant(const events::GrantOpened& opened, const Input&, const Context& context, Out& out) {
  const ProjectRow* project = find_project(opened.project);
  GRANARY_CHECK(project != nullptr, "a grant came before its project");
  for (const events::LotOpened& one : opened.lots) {
    const AccountId id{opened.project, one.class_name, one.unit};
    AccountRow& account = edit_account(id);
    for (const Lot& lot : account.lots)
      GRANARY_CHECK(lot.grant != opened.grant || lot.ordinal != one.ordinal, "a lot was awarded twice");
    Lot& lot = account.lots.emplace_back();
    lot.grant = opened.grant;
    lot.ordinal = one.ordinal;
    lot.from = one.from;
    lot.to = one.to;
    lot.priority = one.priority;
    lot.awarded_at = opened.awarded_at;
    lot.granted = lot.available = one.amount;
    lot.funding = opened.funding.kind;
    lot.share = opened.funding.share;
    lot.seller = opened.seller;
    lot.purpose = opened.purpose;
    account.issued -= one.amount;
    post({Account::issued, Account::available, one.amount, PostingCause::awarded, lot.awarded_at}, lot, id, *project,
         context, out);
    out.publish(context.shard, lot_notice<events::LotAwardedNotice>(lot, id, *project, lot.granted, lot.awarded_at));
    if (lot.to <= context.now) {
      GRANARY_PROBE("a lot is awarded after its end");
      expire(lot, id, *project, context, out);
      continue;
    }
    Bytes end_key;
    append_i64(end_key, lot.to.ms());
    end_key.append(key_);
    ends_.edit(end_key);
    first_end_ = first_end_ ? std::min(*first_end_, lot.to) : lot.to;
  }
}

void AllocationMachine::expire(Lot& lot, const AccountId& id, const ProjectRow& project, const Context& context,
                               Out& out) {
  const Amount amount = lot.available;
  if (amount.is_zero()) return;
  const Instant at = std::max(lot.to, lot.awarded_at);
  move({Account::available, Account::expired, amount, PostingCause::expired, at}, lot, id, project, context, out);
  out.publish(context.shard, lot_notice<events::LotExpired>(lot, id, project, amount, at));
}

void AllocationMachine::move(const Movement& movement, Lot& lot, const AccountId& id, const ProjectRow& project,
                             const Context& context, Out& out) {
  balance_of(lot, movement.from) -= movement.amount;
  balance_of(lot, movement.to) += movement.amount;
  post(movement, lot, id, project, context, out);
}

void AllocationMachine::post(const Movement& movement, const Lot& lot, const AccountId& id, const ProjectRow& project,
                             const Context& context, Out& out) {
  posted_.organisation = project.organisation;
  posted_.project = id.project;
  posted_.class_name = id.class_name;
  posted_.unit = id.unit;
  posted_.grant = lot.grant;
  posted_.lot = lot.ordinal;
  posted_.from_account = movement.from;
  posted_.to_account = movement.to;
  posted_.amount = movement.amount;
  posted_.cause = movement.cause;
  posted_.at = movement.at;
  out.emit(Topic::ledger, context.router->shard_of(project.organisation), posted_);
}

}  // namespace granary::allocation
