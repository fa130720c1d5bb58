// Grants and their lots, as a decision awards them, as allocation opens them, and what is told of a lot.
#pragma once

#include "shared/events/ref.h"

namespace granary::events {

// Who pays what a lot covers; share: the grant pays `share`, the organisation the rest.
enum class FundingKind : std::uint8_t { covered = 1, share, pay_per_use };

struct Funding {
  FundingKind kind{};
  // The granted share, 10^-9: 0.4 is 400,000,000. Only with FundingKind::share.
  Price share;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "kind", s.kind, kRequired);
    visit(2, "share", s.share, kOptional);
  }
};

struct LotAwarded {
  std::string class_name;
  Quantity quantity;
  std::string unit;
  Instant from, to;
  // A lower number burns first.
  std::uint64_t priority = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "quantity", s.quantity, kRequired);
    visit(3, "unit", s.unit, kRequired);
    visit(4, "from", s.from, kRequired);
    visit(5, "to", s.to, kRequired);
    visit(6, "priority", s.priority, kOptional);
  }
};

struct GrantAwarded {
  std::string machine, pool, seller, purpose, legal_basis, member_state;
  Funding funding;
  std::vector<LotAwarded> lots;
  std::vector<Ref> refs = {};
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "machine", s.machine, kRequired);
    visit(2, "pool", s.pool, kOptional);
    visit(3, "seller", s.seller, kRequired);
    visit(4, "purpose", s.purpose, kOptional);
    visit(5, "legal_basis", s.legal_basis, kRequired);
    visit(6, "member_state", s.member_state, kRequired);
    visit(7, "funding", s.funding, kRequired);
    visit(8, "lots", s.lots, kRequired);
    visit(9, "refs", s.refs, kOptional);
  }
};

struct LotOpened {
  std::uint64_t ordinal = 0;  // from 1; grant and ordinal are the lot's id
  std::string class_name;
  UnitKind unit{};
  Amount amount;
  Instant from, to;
  std::uint64_t priority = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "ordinal", s.ordinal, kRequired);
    visit(2, "class", s.class_name, kRequired);
    visit(3, "unit", s.unit, kRequired);
    visit(4, "amount", s.amount, kRequired);
    visit(5, "from", s.from, kRequired);
    visit(6, "to", s.to, kRequired);
    visit(7, "priority", s.priority, kOptional);
  }
};

// Intake to allocation: a decision's grant with its lots. `grant` is the hash of the decision's (source, id).
struct GrantOpened {
  Id16 grant{};
  std::string project, application, machine, pool, seller, purpose, legal_basis, member_state;
  Funding funding;
  Instant awarded_at;
  std::vector<LotOpened> lots;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "grant", s.grant, kRequired);
    visit(2, "project", s.project, kRequired);
    visit(3, "application", s.application, kRequired);
    visit(4, "machine", s.machine, kRequired);
    visit(5, "pool", s.pool, kOptional);
    visit(6, "seller", s.seller, kRequired);
    visit(7, "purpose", s.purpose, kOptional);
    visit(8, "legal_basis", s.legal_basis, kRequired);
    visit(9, "member_state", s.member_state, kRequired);
    visit(10, "funding", s.funding, kRequired);
    visit(11, "awarded_at", s.awarded_at, kRequired);
    visit(12, "lots", s.lots, kRequired);
  }
};

// Allocation to notices: something happened to a lot. Which: the event's type.
struct LotNotice {
  std::string project, organisation;
  Id16 grant{};
  std::uint64_t lot = 0;
  std::string class_name;
  UnitKind unit{};
  Amount amount;
  Instant at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "organisation", s.organisation, kRequired);
    visit(3, "grant", s.grant, kRequired);
    visit(4, "lot", s.lot, kRequired);
    visit(5, "class", s.class_name, kRequired);
    visit(6, "unit", s.unit, kRequired);
    visit(7, "amount", s.amount, kRequired);
    visit(8, "at", s.at, kRequired);
  }
};

struct LotAwardedNotice : LotNotice {};
struct LotExhausted : LotNotice {};
struct LotExpired : LotNotice {};

// What the event alone shows to be wrong; `at` is the JSON pointer to its data.
Trouble check(const GrantAwarded& grant, const std::string& at);

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::FundingKind, "covered", "share", "pay_per_use");
