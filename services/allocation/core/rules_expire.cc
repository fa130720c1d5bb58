// A lot ends: what is available of it expires. What a hold has reserved stays until the hold ends.
#include "services/allocation/core/machine.h"

#include <algorithm>

#include "shared/base/probe.h"

namespace granary::allocation {

using events::PostingCause;

namespace {

// Keys of ends that are looked up at once: a look costs as much as what was changed since the last commit.
constexpr std::size_t kDueEndsMax = 4096;

Instant end_of(const Bytes& key) {
  return Instant(read_i64(key));
}

}  // namespace

// Nothing that has passed is added to ends_, so that each look goes on where the one before ended.
void AllocationMachine::find_first_end(const Context& context) {
  while (lots_are_due(context)) {
    if (due_ends_.empty()) {
      first_end_.reset();
      ends_.scan(last_due_, [&](BytesView key, const KeyRow&) {
        if (!first_end_) first_end_ = Instant(read_i64(key));
        if (Instant(read_i64(key)) > context.now || due_ends_.size() == kDueEndsMax) return false;
        due_ends_.emplace_back(key);
        return true;
      });
      continue;
    }
    if (ends_.find(due_ends_.front()) != nullptr) {
      first_end_ = end_of(due_ends_.front());
      return;
    }
    GRANARY_PROBE("a lot was expired before its turn");
    last_due_ = std::move(due_ends_.front());
    due_ends_.pop_front();
  }
}

std::size_t AllocationMachine::expire_lots(std::size_t rows, const Context& context, Out& out) {
  for (std::size_t done = 0; done < rows; ++done) {
    find_first_end(context);
    if (!lots_are_due(context)) return done;
    last_due_ = std::move(due_ends_.front());
    due_ends_.pop_front();
    ends_.erase(last_due_);
    const BytesView account_key = BytesView(last_due_).substr(sizeof(std::int64_t));
    const AccountId id = account_of(account_key);
    const ProjectRow* project = find_project(id.project);
    GRANARY_CHECK(project != nullptr, "a lot of a project that nobody knows");
    for (Lot& lot : accounts_.edit(account_key).lots)
      if (lot.to == end_of(last_due_)) expire(lot, id, *project, context, out);
  }
  return rows;
}

void AllocationMachine::expire_due_of(AccountRow& account, const AccountId& id, const ProjectRow& project,
                                      const Context& context, Out& out) {
  if (!lots_are_due(context)) return;
  for (Lot& lot : account.lots) {
    if (lot.to > context.now) continue;
    ends_.erase(keys_.end(lot.to, id));
    expire(lot, id, project, context, out);
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
