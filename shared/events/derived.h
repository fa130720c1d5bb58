// What machines tell each other by lanes, and the world by the outward streams. Fields and words:
// schemas/granary/events/v1/derived.proto.
#pragma once

#include "shared/events/usage.h"

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

// Who pays a part of a charge: a lot's funding, or what the overdraft policy says of use that no lot covers.
enum class PartFunding : std::uint8_t { covered = 1, share, pay_per_use, uncovered_bill, uncovered_record };

enum class PostingCause : std::uint8_t { awarded = 1, expired, held, released };

enum class MachineKind : std::uint8_t { intake = 1, metering, allocation, billing };

// Nothing recorded before `instant` is still in flight on this lane.
struct LaneCompleted {
  Instant instant;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "instant", s.instant, kRequired);
  }
};

// A source's statement, passed on when the machine before has folded it.
struct SourceCompleted {
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

// Intake to allocation and ledger; allocation to notices.
struct ProjectOpened {
  std::string project, organisation;
  CustomerKind customer_kind{};
  std::string purpose;
  std::optional<Instant> from;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "organisation", s.organisation, kRequired);
    visit(3, "customer_kind", s.customer_kind, kRequired);
    visit(4, "purpose", s.purpose, kOptional);
    visit(5, "from", s.from, kOptional);
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

// Of one class: what was used, and what of it is to be charged to lots (zero: metered only).
struct MeteredAmount {
  std::string class_name;
  UnitKind unit{};
  Amount raw, charged;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "unit", s.unit, kRequired);
    visit(3, "raw", s.raw, kRequired);
    visit(4, "charged", s.charged, kOptional);
  }
};

// Metering to allocation: one usage, once, in base units. (source, id) is its origin.
struct UsageMetered {
  std::string source, id, project;
  Instant start, end;
  std::vector<MeteredAmount> amounts;
  std::string classes_version;
  std::int64_t bucket_day = 0;  // day on which metering will drop the id, less the window; days since 1970
  std::string state, reservation, member, activity, model;
  Instant recorded_at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "start", s.start, kRequired);
    visit(5, "end", s.end, kRequired);
    visit(6, "amounts", s.amounts, kRequired);
    visit(7, "classes_version", s.classes_version, kRequired);
    visit(8, "bucket_day", s.bucket_day, kRequired);
    visit(9, "state", s.state, kOptional);
    visit(10, "reservation", s.reservation, kOptional);
    visit(11, "member", s.member, kOptional);
    visit(12, "activity", s.activity, kOptional);
    visit(13, "model", s.model, kOptional);
    visit(14, "recorded_at", s.recorded_at, kRequired);
  }
};

// Metering to allocation: an interim figure. Its hold ends with the usage.metered of the same (source, id), or with the
// hold.settled of it.
struct UsageHeld {
  std::string source, id, project;
  Instant start, measured_at;
  std::vector<MeteredAmount> amounts;
  std::string classes_version, reservation;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "start", s.start, kRequired);
    visit(5, "measured_at", s.measured_at, kRequired);
    visit(6, "amounts", s.amounts, kRequired);
    visit(7, "classes_version", s.classes_version, kRequired);
    visit(8, "reservation", s.reservation, kOptional);
  }
};

// Metering to allocation: the job (source, id) is no longer this project's: it ended, or was reported under another
// one. What is held for it here ends.
struct HoldSettled {
  std::string source, id, project;
  Instant at;  // the job's end, or when the figure was measured that names another project
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "at", s.at, kRequired);
  }
};

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

// Allocation to notices: nobody reported the job (source, id) for longer than the policy `holds` allows. `amount`,
// which was held for it, is free again.
struct HoldLapsed {
  std::string project, organisation, source, id, class_name;
  UnitKind unit{};
  Amount amount;
  Instant heard_at, at;  // the last figure came then; the hold ended at `at`
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
    visit(2, "organisation", s.organisation, kRequired);
    visit(3, "source", s.source, kRequired);
    visit(4, "id", s.id, kRequired);
    visit(5, "class", s.class_name, kRequired);
    visit(6, "unit", s.unit, kRequired);
    visit(7, "amount", s.amount, kRequired);
    visit(8, "heard_at", s.heard_at, kRequired);
    visit(9, "at", s.at, kRequired);
  }
};

// All to rejected: what a machine's rules refused. The cause is (source, id) and the hash of its substance.
struct RecordRefused {
  MachineKind machine{};
  std::string reason, field, hint;
  std::string topic;
  std::uint64_t partition = 0, offset = 0;
  std::string type, source, id, substance_sha256;
  Instant recorded_at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "machine", s.machine, kRequired);
    visit(2, "reason", s.reason, kRequired);
    visit(3, "field", s.field, kOptional);
    visit(4, "hint", s.hint, kOptional);
    visit(5, "topic", s.topic, kRequired);
    visit(6, "partition", s.partition, kRequired);
    visit(7, "offset", s.offset, kRequired);
    visit(8, "type", s.type, kOptional);
    visit(9, "source", s.source, kOptional);
    visit(10, "id", s.id, kOptional);
    visit(11, "substance_sha256", s.substance_sha256, kOptional);
    visit(12, "recorded_at", s.recorded_at, kOptional);
  }
};

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::Account, "issued", "available", "reserved", "used", "expired", "withdrawn",
                   "outside", "uncovered", "unassigned");
GRANARY_ENUM_NAMES(granary::events::PartFunding, "covered", "share", "pay_per_use", "uncovered_bill",
                   "uncovered_record");
GRANARY_ENUM_NAMES(granary::events::PostingCause, "awarded", "expired", "held", "released");
GRANARY_ENUM_NAMES(granary::events::MachineKind, "intake", "metering", "allocation", "billing");
