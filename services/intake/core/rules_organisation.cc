// An organisation is registered.
#include "services/intake/core/machine.h"

#include <fmt/format.h>
#include "services/intake/core/refusals.h"

namespace granary::intake {

using machine::Judgement;
using machine::Outcome;
using machine::Topic;

Outcome IntakeMachine::register_organisation(const events::OrganisationRegistered& event, const Input& input,
                                             const Context& context, Out& out) {
  if (organisations_.find(event.organisation) != nullptr)
    return refuse(Refusal::organisation_exists, "/organisation", "choose a name that is not taken");
  for (std::size_t i = 0; i < event.legal_ids.size(); ++i) {
    const events::LegalId& one = event.legal_ids[i];
    if (const LegalIdRow* known = legal_ids_.find(key_of(one.scheme, one.id)))
      return refuse(Refusal::legal_id_taken, fmt::format("/legal_ids/{}/id", i),
                    fmt::format("use the organisation '{}', which has {} {}, or give this one's own",
                                known->organisation, one.scheme, one.id));
  }
  const RefRow owner{RefKind::organisation, event.organisation, ""};
  if (Outcome outcome = check_refs(event.refs, "/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(event.refs, owner);
  for (const events::LegalId& one : event.legal_ids)
    legal_ids_.edit(key_of(one.scheme, one.id)).organisation = event.organisation;
  organisations_.edit(event.organisation) = {event, input.raw.recorded_at};
  out.emit(Topic::ledger, context.router->shard_of(event.organisation), event);
  return {};
}

}  // namespace granary::intake
