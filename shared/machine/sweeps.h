// Sweeps: work on rows that are independent of each other, done a few rows at a time, so that no record stalls the
// other projects of its shard. A lot's end, a binding, a project or a price book may concern a million rows; the record
// that brings it does kSweepRows of them, and each event folded after it, before its own work, as many again, a tick
// kSweepRowsOfTick. Idle time does nothing: how far a sweep is depends on the log alone. All that is open is rows, the
// place in a sweep too, so that a restart goes on there.
//
// Threads: belongs to its machine's thread. Ownership: the machine's; the set outlives it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "shared/machine/machine.h"
#include "shared/machine/row_table.h"

namespace granary::machine {

struct SweepRow {
  std::uint64_t kind = 0;   // the machine's
  std::string name;         // of the queue that is swept
  std::uint64_t next = 0;   // the place that is looked at next
  std::uint64_t until = 0;  // the first place that is not looked at any more; 0: the queue's end, wherever it is then
  Instant since;            // the ledger's time when it began
  // The event of a lane that began it: who waits for the effect of that event waits for the sweep's end.
  std::uint64_t machine = 0, shard = 0, number = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "kind", s.kind, codec::kOptional);
    visit(2, "name", s.name, codec::kOptional);
    visit(3, "next", s.next, codec::kOptional);
    visit(4, "until", s.until, codec::kOptional);
    visit(5, "since", s.since, codec::kOptional);
    visit(6, "machine", s.machine, codec::kOptional);
    visit(7, "shard", s.shard, codec::kOptional);
    visit(8, "number", s.number, codec::kOptional);
  }
};

class Sweeps {
 public:
  // Looks at `rows` rows at most, from sweep.next on, and moves it. Returns how many; `is_done` once none is left.
  using Step = std::function<std::size_t(SweepRow& sweep, std::size_t rows, bool& is_done)>;

  // `prefix`: of the table of open sweeps, u64 in the order in which their turn comes.
  template <TablePrefix Prefix>
  Sweeps(TableSet& tables, Prefix prefix) : rows_(tables, prefix, kOpenRowsMax) {}

  // Once, after the tables were opened.
  void open();

  [[nodiscard]] bool any() const { return !open_.empty(); }
  // Of these two the first one; nullptr: none is open.
  [[nodiscard]] const SweepRow* find(std::uint64_t kind, std::string_view name) const;
  [[nodiscard]] const SweepRow* find(std::uint64_t kind) const;

  // Begins one, and does `rows` of its rows at most, which it takes off. One of this kind and name that is open already
  // begins again at `sweep.next`.
  void begin(SweepRow sweep, const LaneInput& origin, Instant now, std::size_t& rows, const Step& step);
  // Goes on with what is open, in turns of at most kSweepRows rows.
  void go_on(std::size_t rows, const Step& step);

  // When the oldest open one began; nullopt: none is open.
  [[nodiscard]] std::optional<Instant> since() const;
  [[nodiscard]] bool owes(MachineKind from, std::uint16_t shard, std::uint64_t number) const;

 private:
  static constexpr std::size_t kOpenRowsMax = 4096;  // in memory between commits; all are in open_ too
  using Turn = std::uint64_t;
  using Name = std::pair<std::uint64_t, std::string>;  // kind and name
  static Bytes key_of(Turn turn);
  static Name name_of(const SweepRow& sweep) { return {sweep.kind, sweep.name}; }
  void add(SweepRow sweep);

  RowTable<SweepRow> rows_;
  std::map<Turn, SweepRow> open_;  // as the rows are
  std::map<Name, Turn> by_name_;
};

}  // namespace granary::machine
