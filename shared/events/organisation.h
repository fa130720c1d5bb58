// Who a customer is.
#pragma once

#include "shared/events/ref.h"

namespace granary::events {

enum class CustomerKind : std::uint8_t { startup = 1, sme, industry, research, public_body };

// What a register calls an organisation in [from, to). `scheme`: an ISO 6523 code of four digits (0199 is the LEI),
// VAT, EUID or PIC.
struct LegalId {
  std::string scheme, id;
  std::optional<Instant> from, to;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "scheme", s.scheme, kRequired);
    visit(2, "id", s.id, kRequired);
    visit(3, "from", s.from, kOptional);
    visit(4, "to", s.to, kOptional);
  }
};

struct OrganisationRegistered {
  std::string organisation, name;
  CustomerKind kind{};
  std::string country, undertaking;
  std::optional<Instant> from;
  std::vector<LegalId> legal_ids = {};
  std::string activity = {};                      // NACE: "62.01"
  std::string established_in = {};                // a country
  std::vector<std::string> controlled_from = {};  // countries
  std::vector<Ref> refs = {};
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, kRequired);
    visit(2, "name", s.name, kRequired);
    visit(3, "kind", s.kind, kRequired);
    visit(4, "country", s.country, kRequired);
    visit(5, "undertaking", s.undertaking, kOptional);
    visit(6, "from", s.from, kOptional);
    visit(7, "legal_ids", s.legal_ids, kOptional);
    visit(8, "activity", s.activity, kOptional);
    visit(9, "established_in", s.established_in, kOptional);
    visit(10, "controlled_from", s.controlled_from, kOptional);
    visit(11, "refs", s.refs, kOptional);
  }
};

// What the event alone shows to be wrong; `at` is the JSON pointer to its data.
Trouble check(const OrganisationRegistered& organisation, const std::string& at);

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::CustomerKind, "startup", "sme", "industry", "research", "public");
