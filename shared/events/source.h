// What sources of usage say of themselves.
#pragma once

#include "shared/events/words.h"

namespace granary::events {

// A source of usage says: all that ended before `complete_through` has been sent, and that it was `records`.
struct SourceStated {
  std::string source;
  Instant complete_through;
  std::uint64_t records = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "complete_through", s.complete_through, kRequired);
    visit(3, "records", s.records, kRequired);
  }
};

// A source's statement, passed on when the machine before has folded it.
struct SourceCompleted {
  std::string source;
  Instant complete_through;
  std::uint64_t records = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "complete_through", s.complete_through, kRequired);
    visit(3, "records", s.records, kRequired);
  }
};

}  // namespace granary::events
