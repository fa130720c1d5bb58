// What a metering shard remembers, beside the identities (machine::IdBuckets). Keys: docs/formats.md.
#pragma once

#include "shared/events/catalogue.h"
#include "shared/machine/row_form.h"
#include "shared/machine/table_set.h"

namespace granary::metering {

using codec::kOptional;
using units::Instant;

// Of all rows below and their keys; shared/machine/row_form.h says when to raise which number.
inline constexpr machine::RowForm kRowForm{.format = 3, .revision = 1, .readable_from = 1};

// The tables, by the first byte of their keys; numbers in keys are big-endian.
enum class Table : std::uint8_t {
  ids = 1,        // machine/id_buckets.h
  shard,          // one row, empty key
  policies,       // u64 number in the order of publication, from 0
  bindings,       // u64 number in the order of publication, from 0
  sources,        // source
  waiting_heads,  // part(cluster) | part(account)
  waiting,        // key in `waiting_heads` | u64 number
  held,           // identity of the job's root
  sweeps,         // u64 in the order in which their turn comes (machine/sweeps.h)
};

// One row: what belongs to the shard as a whole.
struct ShardRow {
  std::uint64_t policies = 0;  // published so far: the next one's number
  std::uint64_t bindings = 0;
  std::int64_t ids_kept_from = 0;  // day: identities of buckets before it are gone
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "policies", s.policies, kOptional);
    visit(2, "bindings", s.bindings, kOptional);
    visit(3, "ids_kept_from", s.ids_kept_from, kOptional);
  }
};

// Per source of usage: received = metered + repeated + rejected + pending. Interim figures are counted apart.
struct SourceRow {
  std::uint64_t received = 0, metered = 0, repeated = 0, rejected = 0, pending = 0, interim = 0;
  Instant complete_through;   // as last stated
  std::uint64_t records = 0;  // as last stated, over all shards
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "received", s.received, kOptional);
    visit(2, "metered", s.metered, kOptional);
    visit(3, "repeated", s.repeated, kOptional);
    visit(4, "rejected", s.rejected, kOptional);
    visit(5, "pending", s.pending, kOptional);
    visit(6, "interim", s.interim, kOptional);
    visit(7, "complete_through", s.complete_through, kOptional);
    visit(8, "records", s.records, kOptional);
  }
};

// The law of a source: each usage that was received is counted as one of the four.
class SourceLaw final : public machine::RowLaw<SourceRow> {
 public:
  void check(BytesView, const SourceRow* row) override {
    GRANARY_CHECK(row != nullptr && row->received == row->metered + row->repeated + row->rejected + row->pending,
                  "a usage was lost from sight: received is not metered + repeated + rejected + pending");
  }
};

// The usage of one cluster and account that waits, first come first served; entries that were released leave gaps.
struct WaitingHead {
  std::uint64_t first = 0, next = 0, count = 0;
  std::uint64_t unmeasured = 0;  // of `count`: its account is bound, and it waits for a class list
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "first", s.first, kOptional);
    visit(2, "next", s.next, kOptional);
    visit(3, "count", s.count, kOptional);
    visit(4, "unmeasured", s.unmeasured, kOptional);
  }
};

struct WaitingUsage {
  std::string source, id;
  Id16 identity{};
  Instant recorded_at;
  events::UsageReported usage;
  events::UsageNotes notes;
  // The rule by which the classes in force refuse it, although its account is bound; empty: it waits for its binding.
  std::string refused_by;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kOptional);
    visit(2, "id", s.id, kOptional);
    visit(3, "identity", s.identity, kOptional);
    visit(4, "recorded_at", s.recorded_at, kOptional);
    visit(5, "usage", s.usage, kOptional);
    visit(6, "notes", s.notes, kOptional);
    visit(7, "refused_by", s.refused_by, kOptional);
  }
};

// A running job (key: identity of its root) with interim figures: which project holds for it. It goes with the job's
// final report, or with the identities of its day.
struct HeldRow {
  std::string project;  // empty: of its newest figure none is known
  Instant measured_at;  // of the newest figure
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kOptional);
    visit(2, "measured_at", s.measured_at, kOptional);
  }
};

// What is swept, and what `name` is.
enum class Sweep : std::uint8_t {
  account = 1,  // waits for a binding: its key in `waiting_heads`
  classes       // all accounts with usage that waits for a class list: the key of the one that it has come to
};

inline Bytes account_key(BytesView cluster, BytesView account) {
  Bytes key;
  append_part(key, cluster);
  append_part(key, account);
  return key;
}

inline Bytes waiting_key(const Bytes& account, std::uint64_t number) {
  Bytes key = account;
  append_u64(key, number);
  return key;
}

}  // namespace granary::metering
