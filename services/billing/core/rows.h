// The rows of billing: what a shard keeps of its organisations. Values; any thread.
#pragma once

#include "shared/events/charge.h"
#include "shared/events/organisation.h"
#include "shared/machine/row_form.h"

namespace granary::billing {

using events::Amount;
using events::Instant;
using units::Money;

// Of all rows below and their keys; shared/machine/row_form.h says when to raise which number.
inline constexpr machine::RowForm kRowForm{.format = 2, .revision = 1, .readable_from = 1};

// The tables, by the first byte of their keys; numbers in keys are big-endian.
enum class Table : std::uint8_t {
  organisations = 1,  // organisation
  projects,           // project
  price_books,        // u64, counted from 1 in the order of publication
  charges,   // part(organisation) | part(project) | part(class) | u32 month since 1970-01 | u8 unit | part(currency)
  accounts,  // part(currency) | u8 kind | part(owner)
  queues,    // u8 kind | part(name)
  waiting,   // key in `queues` | u64 place; those that went leave gaps
  sources,   // part(source) | u16 allocation shard
  totals,    // one row, empty key
  sweeps,    // u64 in the order in which their turn comes (machine/sweeps.h): their kind is that of the queue
};

// Money moves from the seller's accounts (they go negative) to the other two; each currency sums to zero.
enum class MoneyAccount : std::uint8_t {
  in_kind_value = 1,  // of a seller: what it gave without a bill
  in_kind,            // of a grant: what that was worth
  revenue,            // of a seller: what it billed
  receivable          // of an organisation: what it owes
};

enum class QueueKind : std::uint8_t {
  unknown_project = 1,  // per project: its customer kind is not known yet
  unpriced              // per seller and class (unpriced_queue): no price book prices it for that time and customer
};

struct OrganisationRow {
  std::string name;
  events::CustomerKind kind{};
  std::string country, undertaking;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "name", s.name, codec::kRequired);
    visit(2, "kind", s.kind, codec::kRequired);
    visit(3, "country", s.country, codec::kRequired);
    visit(4, "undertaking", s.undertaking, codec::kOptional);
  }
};

struct ProjectRow {
  std::string organisation;
  events::CustomerKind customer_kind{};
  std::string purpose;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, codec::kRequired);
    visit(2, "customer_kind", s.customer_kind, codec::kRequired);
    visit(3, "purpose", s.purpose, codec::kOptional);
  }
};

// Sums of one organisation, project, class, month, unit and currency. `unrated` is what waits for a price; it is in
// the row without a currency, in which there is nothing else. used = covered + billed + what is only recorded.
struct ChargesRow {
  Amount used, covered, billed, unrated;
  Money list_amount, covered_amount, billed_amount;
  std::uint64_t lines = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "used", s.used, codec::kOptional);
    visit(2, "covered", s.covered, codec::kOptional);
    visit(3, "billed", s.billed, codec::kOptional);
    visit(4, "unrated", s.unrated, codec::kOptional);
    visit(5, "list_amount", s.list_amount, codec::kOptional);
    visit(6, "covered_amount", s.covered_amount, codec::kOptional);
    visit(7, "billed_amount", s.billed_amount, codec::kOptional);
    visit(8, "lines", s.lines, codec::kOptional);
  }
};

struct AccountRow {
  std::string organisation;  // of a grant and of a receivable; a seller's is empty
  Money balance;
  std::uint64_t postings = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, codec::kOptional);
    visit(2, "balance", s.balance, codec::kOptional);
    visit(3, "postings", s.postings, codec::kOptional);
  }

  // Not part of the row: the balance before the first posting since the last flush, for the check there.
  Money flushed;
  std::uint64_t flush_number = 0;
};

struct QueueRow {
  std::uint64_t first = 0, next = 0;  // places
  std::uint64_t count = 0;            // of entries
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "first", s.first, codec::kOptional);
    visit(2, "next", s.next, codec::kRequired);
    visit(3, "count", s.count, codec::kRequired);
  }
};

// A part of a charge, or the piece of one, that waits, with what its charge line will name.
struct WaitingRow {
  std::string organisation, project, source, id;
  std::optional<events::Job> job;
  std::optional<events::Reservation> reservation;
  events::ChargePart part;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, codec::kRequired);
    visit(2, "project", s.project, codec::kRequired);
    visit(3, "source", s.source, codec::kRequired);
    visit(4, "id", s.id, codec::kRequired);
    visit(5, "job", s.job, codec::kOptional);
    visit(6, "reservation", s.reservation, codec::kOptional);
    visit(7, "part", s.part, codec::kRequired);
  }
};

// What one allocation shard passed on of a source's statement.
struct SourceRow {
  Instant complete_through;
  std::uint64_t records = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "complete_through", s.complete_through, codec::kRequired);
    visit(2, "records", s.records, codec::kRequired);
  }
};

struct TotalsRow {
  std::uint64_t charges = 0;   // usage.charged folded
  std::uint64_t parts = 0;     // their parts
  std::uint64_t postings = 0;  // units.posted folded
  std::uint64_t lines = 0;     // charge.rated emitted
  std::uint64_t books = 0;     // price books published
  std::uint64_t waiting = 0;   // pieces that wait
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "charges", s.charges, codec::kOptional);
    visit(2, "parts", s.parts, codec::kOptional);
    visit(3, "postings", s.postings, codec::kOptional);
    visit(4, "lines", s.lines, codec::kOptional);
    visit(5, "books", s.books, codec::kOptional);
    visit(6, "waiting", s.waiting, codec::kOptional);
  }
};

// The name of the queue of parts that wait for this seller's price; empty: for any seller's.
inline Bytes unpriced_queue(std::string_view seller, std::string_view class_name) {
  Bytes name;
  append_part(name, seller);
  append_part(name, class_name);
  return name;
}

inline Bytes source_key(std::string_view source, std::uint16_t allocation_shard) {
  Bytes key;
  append_part(key, source);
  append_u16(key, allocation_shard);
  return key;
}

}  // namespace granary::billing

GRANARY_ENUM_NAMES(granary::billing::MoneyAccount, "in_kind_value", "in_kind", "revenue", "receivable");
GRANARY_ENUM_NAMES(granary::billing::QueueKind, "unknown_project", "unpriced");
