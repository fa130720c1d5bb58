// A grant is opened: each of its lots gets its units, or is over already.
#include "services/allocation/core/machine.h"
#include "shared/base/probe.h"

namespace granary::allocation {

using events::PostingCause;

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
    ends_.edit(keys_.end(lot.to, id));
    first_end_ = first_end_ ? std::min(*first_end_, lot.to) : lot.to;
  }
}

}  // namespace granary::allocation
