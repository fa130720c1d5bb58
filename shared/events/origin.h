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

}  // namespace granary::events
