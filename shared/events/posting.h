// Postings: movements of units between two accounts.
#pragma once

#include "shared/events/words.h"

namespace granary::events {

// Accounts of a resource; every movement is between two of them and their sum is zero (worked example, «Accounts»).
enum class Account : std::uint8_t {
  issued = 1,  // what was ever given, negative
  available,
  reserved,
  used,
  expired,
  withdrawn,
  outside,    // what was used beyond all lots, negative
  uncovered,  // its other side, per project
  unassigned  // use of projects that nobody knows yet
};
enum class PostingCause : std::uint8_t { awarded = 1, expired, held, released };

// Allocation to ledger: a movement of units that is no charge (award, expiry, hold, release).
struct UnitsPosted {
  std::string organisation, project, class_name;
  UnitKind unit{};
  Id16 grant{};
  std::uint64_t lot = 0;
  Account from_account{}, to_account{};
  Amount amount;
  PostingCause cause{};
  Instant at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, kRequired);
    visit(2, "project", s.project, kRequired);
    visit(3, "class", s.class_name, kRequired);
    visit(4, "unit", s.unit, kRequired);
    visit(5, "grant", s.grant, kRequired);
    visit(6, "lot", s.lot, kRequired);
    visit(7, "from_account", s.from_account, kRequired);
    visit(8, "to_account", s.to_account, kRequired);
    visit(9, "amount", s.amount, kRequired);
    visit(10, "cause", s.cause, kRequired);
    visit(11, "at", s.at, kRequired);
  }
};

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::Account, "issued", "available", "reserved", "used", "expired", "withdrawn",
                   "outside", "uncovered", "unassigned");
GRANARY_ENUM_NAMES(granary::events::PostingCause, "awarded", "expired", "held", "released");
