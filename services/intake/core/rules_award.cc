// An application is decided; an award opens its grant.
#include "services/intake/core/lots.h"

#include <fmt/format.h>
#include "services/intake/core/machine.h"
#include "services/intake/core/refusals.h"
#include "shared/base/probe.h"

namespace granary::intake {

using machine::Judgement;
using machine::Outcome;
using machine::Topic;

Outcome IntakeMachine::decide_application(const events::ApplicationDecided& event, const Input& input,
                                          const Context& context, Out& out) {
  const ApplicationRow* application = applications_.find(event.application);
  if (application == nullptr) return unknown_application(event.application);
  if (application->submitted.project != event.project)
    return refuse(Refusal::project_differs, "/project",
                  fmt::format("name the project of the application: '{}'", application->submitted.project));
  if (application->decision) return already_decided(event.application);
  Decision decision{event.outcome, event.reason, {}, 0, input.raw.recorded_at};
  if (event.outcome == events::DecisionOutcome::awarded) {
    Outcome outcome = award(event, *application, input, context, out);
    if (outcome.judgement != Judgement::accepted) return outcome;
    decision.grant = input.identity;
    decision.lots = event.grant->lots.size();
    decision.refs = event.grant->refs;
  }
  applications_.edit(event.application).decision = std::move(decision);
  return {};
}

Outcome IntakeMachine::award(const events::ApplicationDecided& event, const ApplicationRow& application,
                             const Input& input, const Context& context, Out& out) {
  if (!application.screening || application.screening->outcome != events::ScreeningOutcome::cleared)
    return refuse(Refusal::screening_not_cleared, "/application",
                  "decide the screening first: an award needs the outcome cleared");
  // The doors see to it that an award has its grant.
  GRANARY_CHECK(event.grant.has_value(), "an award has no grant");
  const events::GrantAwarded& awarded = *event.grant;
  events::GrantOpened grant;
  Outcome outcome = open_lots(awarded.lots, policies_, input.raw.recorded_at, grant.lots);
  if (outcome.judgement != Judgement::accepted) return outcome;
  const ProjectRow* project = projects_.find(event.project);
  GRANARY_CHECK(project != nullptr, "an application's project is not registered");
  grant.grant = input.identity;
  grant.project = event.project;
  grant.application = event.application;
  grant.machine = awarded.machine;
  grant.pool = awarded.pool;
  grant.seller = awarded.seller;
  grant.purpose = awarded.purpose.empty() ? project->registered.purpose : awarded.purpose;
  grant.legal_basis = awarded.legal_basis;
  grant.member_state = awarded.member_state;
  grant.funding = awarded.funding;
  grant.awarded_at = input.raw.recorded_at;
  Bytes encoded;
  events::encode_event(grant, encoded);
  if (encoded.size() > kEventBytesMax) {
    GRANARY_PROBE("a grant is too large to be sent on");
    return refuse(Refusal::too_many_lots, "/grant/lots",
                  "award fewer lots in one decision, or use shorter texts: together they are too large to be sent on");
  }
  const RefRow owner{RefKind::grant, event.application, ""};
  if (outcome = check_refs(awarded.refs, "/grant/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(awarded.refs, owner);
  out.emit(Topic::allocations, context.router->shard_of(event.project), grant);
  return {};
}

}  // namespace granary::intake
