// Holds of running jobs, and how they end.
#pragma once

#include "shared/events/words.h"

namespace granary::events {

// Metering to allocation: the job (source, id) is no longer this project's: it ended, or was reported under another
// one. What is held for it here ends.
struct HoldSettled {
  std::string source, id, project;
  Instant at;  // the job's end, or when the figure was measured that names another project
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "at", s.at, kRequired);
  }
};

// Allocation to notices: nobody reported the job (source, id) for longer than the policy `holds` allows. `amount`,
// which was held for it, is free again.
struct HoldLapsed {
  std::string project, organisation, source, id, class_name;
  UnitKind unit{};
  Amount amount;
  Instant heard_at, at;  // the last figure came then; the hold ended at `at`
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "organisation", s.organisation, kRequired);
    visit(3, "source", s.source, kRequired);
    visit(4, "id", s.id, kRequired);
    visit(5, "class", s.class_name, kRequired);
    visit(6, "unit", s.unit, kRequired);
    visit(7, "amount", s.amount, kRequired);
    visit(8, "heard_at", s.heard_at, kRequired);
    visit(9, "at", s.at, kRequired);
  }
};

}  // namespace granary::events
