// Units that move between two accounts of a lot, and their postings to the ledger.
#include "services/allocation/core/machine.h"

namespace granary::allocation {

using machine::Topic;

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
