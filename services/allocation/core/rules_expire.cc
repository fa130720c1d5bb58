// A lot ends: what is available of it expires. What a hold has reserved stays until the hold ends.
#include "services/allocation/core/machine.h"

#include <algorithm>

namespace granary::allocation {

using events::PostingCause;

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

void AllocationMachine::expire(Lot& lot, const AccountId& id, const ProjectRow& project, const Context& context,
                               Out& out) {
  const Amount amount = lot.available;
  if (amount.is_zero()) return;
  const Instant at = std::max(lot.to, lot.awarded_at);
  move({Account::available, Account::expired, amount, PostingCause::expired, at}, lot, id, project, context, out);
  out.publish(context.shard, lot_notice<events::LotExpired>(lot, id, project, amount, at));
}

}  // namespace granary::allocation
