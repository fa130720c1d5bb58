// Charges: what usage costs, in units and in money.
#pragma once

#include "shared/events/origin.h"
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
  std::optional<Job> job;
  std::optional<Reservation> reservation;
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
    visit(12, "job", s.job, kOptional);
    visit(13, "reservation", s.reservation, kOptional);
    visit(14, "parts", s.parts, kRequired);
  }
};

// Billing to finance: one line for each part, and for each price it spans. Money is 10^-9 of `currency`. A line that
// stands is never changed: what changes it later is a line of its own.
struct ChargeRated {
  std::string line;  // its id on the stream, "PARTITION-NUMBER", as its record's ce_id has it
  std::string organisation, project, resource;
  std::string period, booked;  // the service month, and the month that it is booked in: "2026-10"
  Instant from, to;
  UnitKind unit{};
  Amount amount;
  PartFunding funding{};
  Id16 grant{};
  std::uint64_t lot = 0;
  Root root;                   // the usage
  std::uint64_t revision = 0;  // of the usage; 0: as it was reported first
  std::optional<Job> job;
  std::optional<Reservation> reservation;
  std::string seller, price_book, currency;
  Price price;
  std::string per;
  units::Money list_amount, covered_amount, billed_amount;
  std::string corrects;  // the line that this one reverses
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "line", s.line, kRequired);
    visit(2, "organisation", s.organisation, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "resource", s.resource, kRequired);
    visit(5, "period", s.period, kRequired);
    visit(6, "booked", s.booked, kRequired);
    visit(7, "from", s.from, kRequired);
    visit(8, "to", s.to, kRequired);
    visit(9, "unit", s.unit, kRequired);
    visit(10, "amount", s.amount, kRequired);
    visit(11, "funding", s.funding, kRequired);
    visit(12, "grant", s.grant, kOptional);
    visit(13, "lot", s.lot, kOptional);
    visit(14, "root", s.root, kRequired);
    visit(15, "revision", s.revision, kRequired);
    visit(16, "job", s.job, kOptional);
    visit(17, "reservation", s.reservation, kOptional);
    visit(18, "seller", s.seller, kRequired);
    visit(19, "price_book", s.price_book, kRequired);
    visit(20, "currency", s.currency, kRequired);
    visit(21, "price", s.price, kRequired);
    visit(22, "per", s.per, kRequired);
    visit(23, "list_amount", s.list_amount, kRequired);
    visit(24, "covered_amount", s.covered_amount, kRequired);
    visit(25, "billed_amount", s.billed_amount, kRequired);
    visit(26, "corrects", s.corrects, kOptional);
  }
};

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::PartFunding, "covered", "share", "pay_per_use", "uncovered_bill",
                   "uncovered_record");
