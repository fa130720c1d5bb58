#include "shared/events/application.h"

#include "shared/events/form.h"

namespace granary::events {

Trouble check(const ApplicationSubmitted& application, const std::string& at) {
  for (std::size_t i = 0; i < application.resources.size(); ++i)
    if (auto trouble = check_unit(application.resources[i].unit, at + "/resources/" + std::to_string(i) + "/unit"))
      return trouble;
  if (application.period_from < application.period_to) return check(application.refs, at + "/refs");
  return FormError{"end_before_start", at + "/period_to", units::format_time(application.period_to),
                   "send a `period_to` after `period_from`"};
}

Trouble check(const ScreeningDecided& screening, const std::string& at) {
  if (screening.questionnaire.empty() != screening.basis.empty()) return std::nullopt;
  return FormError{"malformed", at + "/questionnaire", "",
                   "send either the questionnaire's version, or a basis (trial)"};
}

Trouble check(const ApplicationDecided& decided, const std::string& at) {
  if ((decided.outcome == DecisionOutcome::awarded) != decided.grant.has_value())
    return FormError{"malformed", at + "/grant", "", "send the grant with outcome awarded, and only then"};
  return decided.grant ? check(*decided.grant, at + "/grant") : std::nullopt;
}

}  // namespace granary::events
