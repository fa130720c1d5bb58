// What a machine tells of its lanes.
#pragma once

#include "shared/events/words.h"

namespace granary::events {

// Nothing recorded before `instant` is still in flight on this lane.
struct LaneCompleted {
  Instant instant;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "instant", s.instant, kRequired);
  }
};

}  // namespace granary::events
