// Who a customer is.
#pragma once

#include "shared/events/words.h"

namespace granary::events {

enum class CustomerKind : std::uint8_t { startup = 1, sme, industry, research, public_body };

struct OrganisationRegistered {
  std::string organisation, name;
  CustomerKind kind{};
  std::string country, undertaking;
  std::optional<Instant> from;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, kRequired);
    visit(2, "name", s.name, kRequired);
    visit(3, "kind", s.kind, kRequired);
    visit(4, "country", s.country, kRequired);
    visit(5, "undertaking", s.undertaking, kOptional);
    visit(6, "from", s.from, kOptional);
  }
};

// What the event alone shows to be wrong; `at` is the JSON pointer to its data.
Trouble check(const OrganisationRegistered& organisation, const std::string& at);

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::CustomerKind, "startup", "sme", "industry", "research", "public");
