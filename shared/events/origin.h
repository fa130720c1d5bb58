// What a usage is known by, wherever something speaks of it.
#pragma once

#include "shared/events/words.h"

namespace granary::events {

// The identity of the report that something belongs to.
struct Root {
  std::string source, id;
  bool operator==(const Root&) const = default;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
  }
};

// The scheduler's job whose run a usage is: its id without a start, so that all runs of a job share it.
struct Job {
  std::string source, id;
  bool operator==(const Job&) const = default;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
  }
};

// The ledger's own reservation, of units; a scheduler's block of nodes is an advance reservation.
struct Reservation {
  std::string project, id;
  bool operator==(const Reservation&) const = default;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "id", s.id, kRequired);
  }
};

}  // namespace granary::events
