// The next rules version is activated.
#include "services/intake/core/machine.h"

#include <fmt/format.h>
#include "services/intake/core/refusals.h"
#include "shared/base/probe.h"

namespace granary::intake {

using machine::Outcome;

Outcome IntakeMachine::activate_rules(const events::RulesActivated& event, const Input&, const Context& context,
                                      Out& out) {
  if (event.version != context.rules + 1) {
    GRANARY_PROBE("rules are activated that are not the next");
    return refuse(
        Refusal::rules_version_not_next, "/version",
        fmt::format("version {} is in force, so only version {} can come next", context.rules, context.rules + 1));
  }
  out.activate_rules(event.version);
  return {};
}

}  // namespace granary::intake
