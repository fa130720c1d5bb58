// Schedulers' accounts, and the project that each means.
#pragma once

#include "shared/events/ref.h"

namespace granary::events {

// A scheduler's account means a project, for usage that starts in [from, to).
struct AccountBound {
  std::string cluster, account, project;
  std::optional<Instant> from, to;
  std::vector<Ref> refs = {};  // of the account, not of this binding
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "cluster", s.cluster, kRequired);
    visit(2, "account", s.account, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "from", s.from, kOptional);
    visit(5, "to", s.to, kOptional);
    visit(6, "refs", s.refs, kOptional);
  }
};

// What the event alone shows to be wrong; `at` is the JSON pointer to its data.
Trouble check(const AccountBound& account, const std::string& at);

}  // namespace granary::events
