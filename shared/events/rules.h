// Rules versions: which there are in this build, and the event by which one comes into force. A version says by which
// rules events are folded; the rules of older versions stay in the code, so that old history folds as it did.
#pragma once

#include <span>
#include <string_view>

#include "shared/events/words.h"

namespace granary::events {

struct RulesVersion {
  std::uint64_t number = 0;
  std::string_view what;  // it brought, in a line
};

// All that this build knows, from 1 on without a gap.
std::span<const RulesVersion> known_rules();

// The newest of them: what a new ledger begins with.
extern const std::uint64_t kRulesNewest;

// From the record behind it on, a machine folds by this version; it is the one after the version in force. Raw: what a
// person decides. On lanes: the machine before folds by it from here on.
struct RulesActivated {
  std::uint64_t version = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "version", s.version, kRequired);
  }
};

}  // namespace granary::events
