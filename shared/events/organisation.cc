#include "shared/events/organisation.h"

#include "shared/events/form.h"

namespace granary::events {

Trouble check(const OrganisationRegistered& organisation, const std::string& at) {
  if (upper_letters(organisation.country, 2)) return std::nullopt;
  return FormError{"malformed", at + "/country", organisation.country, "send two capital letters (ISO 3166-1): FI"};
}

}  // namespace granary::events
