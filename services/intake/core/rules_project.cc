// A project is registered.
#include "services/intake/core/machine.h"

#include <fmt/format.h>
#include "services/intake/core/refusals.h"

namespace granary::intake {

using machine::Judgement;
using machine::Outcome;
using machine::Topic;

Outcome IntakeMachine::register_project(const events::ProjectRegistered& event, const Input& input,
                                        const Context& context, Out& out) {
  const OrganisationRow* organisation = organisations_.find(event.organisation);
  if (organisation == nullptr)
    return refuse(Refusal::unknown_organisation, "/organisation",
                  fmt::format("register the organisation '{}' first", event.organisation));
  if (projects_.find(event.project) != nullptr)
    return refuse(Refusal::project_exists, "/project", "choose a name that is not taken");
  const RefRow owner{RefKind::project, event.project, ""};
  if (Outcome outcome = check_refs(event.refs, "/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(event.refs, owner);
  const events::ProjectOpened opened{event.project, event.organisation, organisation->registered.kind,
                                     event.purpose, event.from,         event.refs};
  projects_.edit(event.project) = {event, input.raw.recorded_at};
  out.emit(Topic::allocations, context.router->shard_of(event.project), opened);
  out.emit(Topic::ledger, context.router->shard_of(event.organisation), opened);
  return {};
}

}  // namespace granary::intake
