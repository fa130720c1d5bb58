// What other systems call a thing that the ledger knows.
#pragma once

#include "shared/events/words.h"

namespace granary::events {

// The number that `system` (the federation's platform, a funder, a site) has given it.
struct Ref {
  std::string system, id;
  bool operator==(const Ref&) const = default;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "system", s.system, kRequired);
    visit(2, "id", s.id, kRequired);
  }
};

// Bytes of a name that another system gives: of a ref's system and id, of a legal id.
inline constexpr std::size_t kForeignNameBytesMax = 64;

// Reads "SYSTEM:ID", as a question says it; a system has no colon. nullopt: another form.
std::optional<Ref> read_ref(std::string_view text);

// The first trouble of a list of refs; `at` is the JSON pointer to the list.
Trouble check(const std::vector<Ref>& refs, const std::string& at);

}  // namespace granary::events
