// What people decide: the raw events of `granary.applications.v1`. Those that machines read are sent on to them as
// facts, in the same form. Fields and words: schemas/granary/events/v1/decisions.proto.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/events/field.h"
#include "shared/units/amount.h"
#include "shared/units/instant.h"

namespace granary::events {

using units::Amount;
using units::Instant;
using units::Price;
using units::Quantity;
using units::UnitKind;

enum class CustomerKind : std::uint8_t { startup = 1, sme, industry, research, public_body };
enum class ScreeningOutcome : std::uint8_t { cleared = 1, refused };
enum class DecisionOutcome : std::uint8_t { awarded = 1, declined };
// Who pays what a lot covers; share: the grant pays `share`, the organisation the rest.
enum class FundingKind : std::uint8_t { covered = 1, share, pay_per_use };
enum class PolicyKind : std::uint8_t { resource_classes = 1, acceptance_window, burn_order, overdraft, holds };
enum class Charging : std::uint8_t { lots = 1, metered_only };
enum class BurnRule : std::uint8_t { priority = 1, earliest_expiry, earliest_award };
enum class OverdraftMode : std::uint8_t { bill = 1, record };

struct OrganisationRegistered {
  std::string organisation, name;
  CustomerKind kind{};
  std::string country, undertaking;
  std::optional<Instant> from;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, kRequired);
    visit(2, "name", s.name, kRequired);
    visit(3, "kind", s.kind, kRequired);
    visit(4, "country", s.country, kRequired);
    visit(5, "undertaking", s.undertaking, kOptional);
    visit(6, "from", s.from, kOptional);
  }
};

struct ProjectRegistered {
  std::string project, organisation, purpose;
  std::optional<Instant> from;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "organisation", s.organisation, kRequired);
    visit(3, "purpose", s.purpose, kOptional);
    visit(4, "from", s.from, kOptional);
  }
};

// A scheduler's account means a project, for usage that starts in [from, to).
struct AccountBound {
  std::string cluster, account, project;
  std::optional<Instant> from, to;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "cluster", s.cluster, kRequired);
    visit(2, "account", s.account, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "from", s.from, kOptional);
    visit(5, "to", s.to, kOptional);
  }
};

// `quantity` counts `unit` (see units::named_unit): 10 resource-hour are ten GPU-hours.
struct ResourceAsked {
  std::string class_name;
  Quantity quantity;
  std::string unit;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "quantity", s.quantity, kRequired);
    visit(3, "unit", s.unit, kRequired);
  }
};

struct ApplicationSubmitted {
  std::string application, project, access_mode, purpose;
  std::vector<ResourceAsked> resources;
  Instant period_from, period_to;
  std::vector<std::string> declarations;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "application", s.application, kRequired);
    visit(2, "project", s.project, kRequired);
    visit(3, "access_mode", s.access_mode, kRequired);
    visit(4, "purpose", s.purpose, kOptional);
    visit(5, "resources", s.resources, kRequired);
    visit(6, "period_from", s.period_from, kRequired);
    visit(7, "period_to", s.period_to, kRequired);
    visit(8, "declarations", s.declarations, kOptional);
  }
};

// AI Act screening: by a questionnaire's version, or on another basis (`trial` for trials).
struct ScreeningDecided {
  std::string application, questionnaire, basis, answers_hash;
  ScreeningOutcome outcome{};
  std::string reason;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "application", s.application, kRequired);
    visit(2, "questionnaire", s.questionnaire, kOptional);
    visit(3, "basis", s.basis, kOptional);
    visit(4, "answers_hash", s.answers_hash, kOptional);
    visit(5, "outcome", s.outcome, kRequired);
    visit(6, "reason", s.reason, kOptional);
  }
};

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
  }
};

struct ApplicationDecided {
  std::string application, project;
  DecisionOutcome outcome{};
  std::string reason;
  std::optional<GrantAwarded> grant;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "application", s.application, kRequired);
    visit(2, "project", s.project, kRequired);
    visit(3, "outcome", s.outcome, kRequired);
    visit(4, "reason", s.reason, kOptional);
    visit(5, "grant", s.grant, kOptional);
  }
};

struct ResourceClass {
  std::string class_name;
  UnitKind unit{};
  Charging charging{};
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "unit", s.unit, kRequired);
    visit(3, "charging", s.charging, kRequired);
  }
};

// Of the lists here only the one that belongs to the policy's kind is filled.
struct PolicyContent {
  std::vector<ResourceClass> classes;  // resource_classes
  std::uint64_t window_days = 0;       // acceptance_window: usage that ended longer ago is refused
  std::vector<BurnRule> order;         // burn_order: the first rule that tells two lots apart decides
  OverdraftMode mode{};                // overdraft: what becomes of use that no lot covers,
  std::string seller;                  //   at whose prices,
  std::string project;                 //   and of which project (empty: all that have none of their own)
  std::uint64_t silent_hours_max = 0;  // holds: what is held for a job that is silent for longer is free again
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "classes", s.classes, kOptional);
    visit(2, "window_days", s.window_days, kOptional);
    visit(3, "order", s.order, kOptional);
    visit(4, "mode", s.mode, kOptional);
    visit(5, "seller", s.seller, kOptional);
    visit(6, "project", s.project, kOptional);
    visit(7, "silent_hours_max", s.silent_hours_max, kOptional);
  }
};

struct PolicyPublished {
  PolicyKind kind{};
  std::string version;
  Instant effective;
  PolicyContent content;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "kind", s.kind, kRequired);
    visit(2, "version", s.version, kRequired);
    visit(3, "effective", s.effective, kRequired);
    visit(4, "content", s.content, kRequired);
  }
};

// The price of `per` (see units::named_unit) of a class, for the customers and purposes named (none named: for all). Of
// the entries that fit, the first in the list holds.
struct PriceEntry {
  std::string class_name;
  Price price;
  std::string per;
  std::vector<CustomerKind> customer_kinds;
  std::vector<std::string> purposes;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "price", s.price, kRequired);
    visit(3, "per", s.per, kRequired);
    visit(4, "customer_kinds", s.customer_kinds, kOptional);
    visit(5, "purposes", s.purposes, kOptional);
  }
};

struct PriceBookPublished {
  std::string seller, version;
  Instant effective;
  std::string currency;
  std::vector<PriceEntry> prices;
  std::vector<std::string> without;  // classes that this book prices for fewer than the one before, on purpose
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "seller", s.seller, kRequired);
    visit(2, "version", s.version, kRequired);
    visit(3, "effective", s.effective, kRequired);
    visit(4, "currency", s.currency, kRequired);
    visit(5, "prices", s.prices, kRequired);
    visit(6, "without", s.without, kOptional);
  }
};

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

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::units::UnitKind, "resource-us", "byte-ms", "item");
GRANARY_ENUM_NAMES(granary::events::CustomerKind, "startup", "sme", "industry", "research", "public");
GRANARY_ENUM_NAMES(granary::events::ScreeningOutcome, "cleared", "refused");
GRANARY_ENUM_NAMES(granary::events::DecisionOutcome, "awarded", "declined");
GRANARY_ENUM_NAMES(granary::events::FundingKind, "covered", "share", "pay_per_use");
GRANARY_ENUM_NAMES(granary::events::PolicyKind, "resource_classes", "acceptance_window", "burn_order", "overdraft",
                   "holds");
GRANARY_ENUM_NAMES(granary::events::Charging, "lots", "metered_only");
GRANARY_ENUM_NAMES(granary::events::BurnRule, "priority", "earliest_expiry", "earliest_award");
GRANARY_ENUM_NAMES(granary::events::OverdraftMode, "bill", "record");
