// Projects: what grants and usage belong to.
#pragma once

#include "shared/events/organisation.h"

namespace granary::events {

struct ProjectRegistered {
  std::string project, organisation, purpose;
  std::optional<Instant> from;
  std::vector<Ref> refs = {};
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "organisation", s.organisation, kRequired);
    visit(3, "purpose", s.purpose, kOptional);
    visit(4, "from", s.from, kOptional);
    visit(5, "refs", s.refs, kOptional);
  }
};

// Intake to allocation and ledger; allocation to notices.
struct ProjectOpened {
  std::string project, organisation;
  CustomerKind customer_kind{};
  std::string purpose;
  std::optional<Instant> from;
  std::vector<Ref> refs = {};
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "organisation", s.organisation, kRequired);
    visit(3, "customer_kind", s.customer_kind, kRequired);
    visit(4, "purpose", s.purpose, kOptional);
    visit(5, "from", s.from, kOptional);
    visit(6, "refs", s.refs, kOptional);
  }
};

// What the event alone shows to be wrong; `at` is the JSON pointer to its data.
Trouble check(const ProjectRegistered& project, const std::string& at);

}  // namespace granary::events
