// Charges: what usage costs, in units and in money.
#pragma once

#include "shared/events/posting.h"

namespace granary::events {

// Who pays a part of a charge: a lot's funding, or what the overdraft policy says of use that no lot covers.
enum class PartFunding : std::uint8_t { covered = 1, share, pay_per_use, uncovered_bill, uncovered_record };

// One balanced posting of a charge: `amount` moves from one account to another. Without a lot `grant` is zero.
struct ChargePart {
  std::string class_name;
  UnitKind unit{};
  Instant from, to;
  Amount amount;
  Account from_account{}, to_account{};
  Id16 grant{};
  std::uint64_t lot = 0;
  PartFunding funding{};
  Price share;  // 10^-9, with PartFunding::share
  std::string seller, purpose;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "unit", s.unit, kRequired);
    visit(3, "from", s.from, kRequired);
    visit(4, "to", s.to, kRequired);
    visit(5, "amount", s.amount, kRequired);
    visit(6, "from_account", s.from_account, kRequired);
    visit(7, "to_account", s.to_account, kRequired);
    visit(8, "grant", s.grant, kOptional);
    visit(9, "lot", s.lot, kOptional);
    visit(10, "funding", s.funding, kRequired);
    visit(11, "share", s.share, kOptional);
    visit(12, "seller", s.seller, kOptional);
    visit(13, "purpose", s.purpose, kOptional);
  }
};

// Allocation to ledger: what one usage was charged. More than fits a record is cut into slices, each balanced.
struct UsageCharged {
  std::string source, id, project, organisation;
  Instant start, end, recorded_at;
  std::uint64_t metering_shard = 0, metering_number = 0;  // the lane number of its usage.metered
  std::uint64_t slice = 1, slices = 1;
  std::string reservation;
  std::vector<ChargePart> parts;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "organisation", s.organisation, kRequired);
    visit(5, "start", s.start, kRequired);
    visit(6, "end", s.end, kRequired);
    visit(7, "recorded_at", s.recorded_at, kRequired);
    visit(8, "metering_shard", s.metering_shard, kRequired);
    visit(9, "metering_number", s.metering_number, kRequired);
    visit(10, "slice", s.slice, kRequired);
    visit(11, "slices", s.slices, kRequired);
    visit(12, "reservation", s.reservation, kOptional);
    visit(13, "parts", s.parts, kRequired);
  }
};

// Billing to finance: one line for each part, and for each price it spans. Money is 10^-9 of `currency`.
struct ChargeRated {
  std::string organisation, project, resource, period;  // period: the service month, "2026-10"
  Instant from, to;
  UnitKind unit{};
  Amount amount;
  PartFunding funding{};
  Id16 grant{};
  std::uint64_t lot = 0;
  std::string source, id, reservation;  // the usage
  std::string seller, price_book, currency;
  Price price;
  std::string per;
  units::Money list_amount, covered_amount, billed_amount;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, kRequired);
    visit(2, "project", s.project, kRequired);
    visit(3, "resource", s.resource, kRequired);
    visit(4, "period", s.period, kRequired);
    visit(5, "from", s.from, kRequired);
    visit(6, "to", s.to, kRequired);
    visit(7, "unit", s.unit, kRequired);
    visit(8, "amount", s.amount, kRequired);
    visit(9, "funding", s.funding, kRequired);
    visit(10, "grant", s.grant, kOptional);
    visit(11, "lot", s.lot, kOptional);
    visit(12, "source", s.source, kRequired);
    visit(13, "id", s.id, kRequired);
    visit(14, "reservation", s.reservation, kOptional);
    visit(15, "seller", s.seller, kRequired);
    visit(16, "price_book", s.price_book, kRequired);
    visit(17, "currency", s.currency, kRequired);
    visit(18, "price", s.price, kRequired);
    visit(19, "per", s.per, kRequired);
    visit(20, "list_amount", s.list_amount, kRequired);
    visit(21, "covered_amount", s.covered_amount, kRequired);
    visit(22, "billed_amount", s.billed_amount, kRequired);
  }
};

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::PartFunding, "covered", "share", "pay_per_use", "uncovered_bill",
                   "uncovered_record");
