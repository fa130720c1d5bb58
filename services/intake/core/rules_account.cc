// An account is bound to a project.
#include "services/intake/core/machine.h"
#include "services/intake/core/refusals.h"

namespace granary::intake {

using machine::Judgement;
using machine::Outcome;
using machine::Topic;

Outcome IntakeMachine::bind_account(const events::AccountBound& event, const Input&, const Context& context, Out& out) {
  if (projects_.find(event.project) == nullptr) return unknown_project(event.project);
  const RefRow owner{RefKind::account, event.account, event.cluster};
  if (Outcome outcome = check_refs(event.refs, "/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(event.refs, owner);
  out.broadcast(Topic::usage, context.partitions, event);
  return {};
}

}  // namespace granary::intake
