// The rows of allocation: projects, their accounts per resource class with the lots, usage that waits for its project,
// holds of running jobs, lots' ends, policies, sources' statements. Field numbers are frozen like those of events.
// Values; any thread.
#pragma once

#include <string>
#include <vector>

#include "shared/events/charge.h"
#include "shared/events/grant.h"
#include "shared/events/policy.h"
#include "shared/events/project.h"
#include "shared/events/usage.h"
#include "shared/machine/row_form.h"
#include "shared/machine/table_set.h"

namespace granary::allocation {

using codec::kRequired;
using events::Account;
using units::Amount;
using units::Instant;
using units::Interval;
using units::UnitKind;

// Of all rows below and their keys; shared/machine/row_form.h says when to raise which number.
inline constexpr machine::RowForm kRowForm{.format = 2, .revision = 1, .readable_from = 1};

// The tables, by the first byte of their keys.
enum class Table : std::uint8_t {
  projects = 1,   // part(project)
  accounts,       // account_key
  waiting,        // part(project): the queue of the project's waiting usage
  waiting_usage,  // part(project) | u64 place in the queue
  holds,          // part(project) | part(source) | part(id)
  ends,           // i64 end | account_key: lots of that account whose expiry is still to be done
  policies,       // u8 kind | project
  sources,        // part(source)
  counts,         // one row, empty key
  heard,          // i64 when a hold was last heard of | its key in `holds`
  refs,           // part(system) | id
  sweeps,         // u64 in the order in which their turn comes (machine/sweeps.h)
};

// What is swept, and what `name` is.
enum class Sweep : std::uint8_t {
  project = 1  // usage that waited for it: the project
};

struct ProjectRow {
  std::string organisation;
  events::CustomerKind customer_kind{};
  std::string purpose;
  std::optional<Instant> from;
  std::uint64_t holds = 0;  // rows of Table::holds: without one a final usage need not look for its own
  std::vector<events::Ref> refs = {};
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, kRequired);
    visit(2, "customer_kind", s.customer_kind, kRequired);
    visit(3, "purpose", s.purpose, kRequired);
    visit(4, "from", s.from, kRequired);
    visit(5, "holds", s.holds, kRequired);
    visit(6, "refs", s.refs, kRequired);
  }
};

// The project that a ref names.
struct RefRow {
  std::string project;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
  }
};

// What a grant gives of one class for a period; (grant, ordinal) is its id. Always: granted = available + reserved +
// used + expired + withdrawn, none below zero.
struct Lot {
  Id16 grant{};
  std::uint64_t ordinal = 0;
  Instant from, to;
  std::uint64_t priority = 0;
  Instant awarded_at;
  Amount granted, available, reserved, used, expired, withdrawn;
  events::FundingKind funding{};
  units::Price share;
  std::string seller, purpose;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "grant", s.grant, kRequired);
    visit(2, "lot", s.ordinal, kRequired);
    visit(3, "from", s.from, kRequired);
    visit(4, "to", s.to, kRequired);
    visit(5, "priority", s.priority, kRequired);
    visit(6, "awarded_at", s.awarded_at, kRequired);
    visit(7, "granted", s.granted, kRequired);
    visit(8, "available", s.available, kRequired);
    visit(9, "reserved", s.reserved, kRequired);
    visit(10, "used", s.used, kRequired);
    visit(11, "expired", s.expired, kRequired);
    visit(12, "withdrawn", s.withdrawn, kRequired);
    visit(13, "funding", s.funding, kRequired);
    visit(14, "share", s.share, kRequired);
    visit(15, "seller", s.seller, kRequired);
    visit(16, "purpose", s.purpose, kRequired);
  }
};

// All accounts of one class in one unit of one project, and its usage totals. Always: issued + outside + uncovered +
// unassigned + all that the lots hold = 0.
struct AccountRow {
  Amount issued;              // what was ever given, negative
  Amount outside;             // what was used beyond all lots, negative
  Amount uncovered;           // its other side
  Amount unassigned;          // its other side while nobody knows the project
  std::uint64_t records = 0;  // usage that named this class, waiting or posted, and what it used
  Amount raw;
  std::vector<Lot> lots;  // in the order of their award
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "issued", s.issued, kRequired);
    visit(2, "outside", s.outside, kRequired);
    visit(3, "uncovered", s.uncovered, kRequired);
    visit(4, "unassigned", s.unassigned, kRequired);
    visit(5, "records", s.records, kRequired);
    visit(6, "raw", s.raw, kRequired);
    visit(7, "lots", s.lots, kRequired);
  }
};

// The places [first, next) of a project's queue are filled.
struct WaitingQueue {
  std::uint64_t first = 0, next = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "first", s.first, kRequired);
    visit(2, "next", s.next, kRequired);
  }
};

struct WaitingUsage {
  events::UsageMetered usage;
  std::uint64_t metering_shard = 0, metering_number = 0;  // its lane number
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "usage", s.usage, kRequired);
    visit(2, "metering_shard", s.metering_shard, kRequired);
    visit(3, "metering_number", s.metering_number, kRequired);
  }
};

// What a hold has reserved of one lot.
struct HeldPart {
  std::string class_name;
  UnitKind unit{};
  Id16 grant{};
  std::uint64_t ordinal = 0;
  Amount amount;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "unit", s.unit, kRequired);
    visit(3, "grant", s.grant, kRequired);
    visit(4, "lot", s.ordinal, kRequired);
    visit(5, "amount", s.amount, kRequired);
  }
};

// The hold of one running job, from its first interim figure to its final usage, or until it has been silent too long.
struct HoldRow {
  Instant measured_at;
  std::vector<HeldPart> parts;
  Instant heard_at;  // when the newest figure came
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "measured_at", s.measured_at, kRequired);
    visit(2, "parts", s.parts, kRequired);
    visit(3, "heard_at", s.heard_at, kRequired);
  }
};

// All is in the key.
struct KeyRow {
  template <class Self, class Visit>
  static void fields(Self&, Visit&) {}
};

struct PolicyVersion {
  Instant effective;
  std::string version;
  events::PolicyContent content;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "effective", s.effective, kRequired);
    visit(2, "version", s.version, kRequired);
    visit(3, "content", s.content, kRequired);
  }
};

// By `effective`, strictly rising (machine/effective.h).
struct PolicyRow {
  std::vector<PolicyVersion> versions;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "versions", s.versions, kRequired);
  }
};

// The furthest that one metering shard has reported of a source.
struct SourceReport {
  std::uint64_t shard = 0;
  Instant complete_through;
  std::uint64_t records = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "shard", s.shard, kRequired);
    visit(2, "complete_through", s.complete_through, kRequired);
    visit(3, "records", s.records, kRequired);
  }
};

struct SourceRow {
  std::vector<SourceReport> reports;  // one a shard that has reported, by shard
  std::optional<Instant> passed_on;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "reports", s.reports, kRequired);
    visit(2, "passed_on", s.passed_on, kRequired);
  }
};

// Of the whole shard.
struct CountsRow {
  std::uint64_t waiting = 0;          // usage that waits for its project
  std::uint64_t interim_ignored = 0;  // interim figures of projects that nobody knew
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "waiting", s.waiting, kRequired);
    visit(2, "interim_ignored", s.interim_ignored, kRequired);
  }
};

// Which row of accounts: a class that is published anew in another unit gets another row, so that no row mixes units.
struct AccountId {
  BytesView project, class_name;
  UnitKind unit{};
};

inline void project_key(BytesView project, Bytes& key) {
  key.clear();
  append_part(key, project);
}
// part(project) | part(class) | u8 unit: rows of one project are together, in the order of the projects' table.
inline void account_key(const AccountId& id, Bytes& key) {
  project_key(id.project, key);
  append_part(key, id.class_name);
  append_u8(key, static_cast<std::uint8_t>(id.unit));
}
inline Bytes ref_key(const events::Ref& ref) {
  Bytes key;
  append_part(key, ref.system);
  key.append(ref.id);
  return key;
}
// The id lives as long as `key`, which must be an account's.
AccountId account_of(BytesView key);

// One of a lot's own accounts.
Amount& balance_of(Lot& lot, Account account);

// The laws of a row, checked (GRANARY_CHECK).
void check_books(const AccountRow& account);
class BooksLaw final : public machine::RowLaw<AccountRow> {
 public:
  void check(BytesView, const AccountRow* account) override {
    if (account != nullptr) check_books(*account);
  }
};

}  // namespace granary::allocation
