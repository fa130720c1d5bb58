// An application is submitted and screened.
#include "services/intake/core/machine.h"

#include <fmt/format.h>
#include "services/intake/core/refusals.h"
#include "shared/base/probe.h"

namespace granary::intake {

using machine::Judgement;
using machine::Outcome;
using machine::Topic;

Outcome IntakeMachine::submit_application(const events::ApplicationSubmitted& event, const Input& input, const Context&,
                                          Out&) {
  if (projects_.find(event.project) == nullptr) return unknown_project(event.project);
  if (applications_.find(event.application) != nullptr)
    return refuse(Refusal::application_exists, "/application", "choose a name that is not taken");
  for (std::size_t i = 0; i < event.resources.size(); ++i)
    if (policies_.find_class(event.resources[i].class_name, input.raw.recorded_at) == nullptr)
      return refuse(Refusal::unknown_resource_class, fmt::format("/resources/{}/class", i),
                    fmt::format("publish a policy resource_classes that lists '{}', or ask for a class of the list",
                                event.resources[i].class_name));
  const RefRow owner{RefKind::application, event.application, ""};
  if (Outcome outcome = check_refs(event.refs, "/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(event.refs, owner);
  ApplicationRow& row = applications_.edit(event.application);
  row.submitted = event;
  row.submitted_at = input.raw.recorded_at;
  project_applications_.edit(key_of(event.project, event.application)).submitted_at = input.raw.recorded_at;
  return {};
}

Outcome IntakeMachine::decide_screening(const events::ScreeningDecided& event, const Input& input, const Context&,
                                        Out&) {
  const ApplicationRow* application = applications_.find(event.application);
  if (application == nullptr) return unknown_application(event.application);
  if (application->decision) {
    GRANARY_PROBE("a screening comes after the decision");
    return already_decided(event.application);
  }
  ApplicationRow& row = applications_.edit(event.application);
  row.screening = event;
  row.screened_at = input.raw.recorded_at;
  return {};
}

}  // namespace granary::intake
