// The next rules version is activated.
#include "services/intake/core/machine.h"
#include "services/intake/core/refusals.h"
#include "shared/base/probe.h"

namespace granary::intake {

using machine::Outcome;

Outcome IntakeMachine::activate_rules(const events::RulesActivated& event, const Input&, const Context& context,
                                      Out& out) {
  if (event.version != context.rules + 1) {
    GRANARY_PROBE("rules are activated that are not the next");
    return refuse(Refusal::rules_version_not_next, "/version",
                  "version " + std::to_string(context.rules) + " is in force, so only version " +
                      std::to_string(context.rules + 1) + " can come next");
  }
  out.activate_rules(event.version);
  return {};
}

}  // namespace granary::intake
