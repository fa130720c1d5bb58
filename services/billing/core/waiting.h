// Parts of charges that wait, first in first out: per project until its customer kind is known, per seller and class
// until a price book prices them.
//
// Threads: belongs to its machine's thread.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "services/billing/core/rows.h"
#include "shared/machine/row_table.h"
#include "shared/machine/sweeps.h"

namespace granary::billing {

class WaitingRoom {
 public:
  WaitingRoom(machine::TableSet& tables, std::size_t rows_max);

  void append(QueueKind kind, std::string_view name, const WaitingRow& row);

  // The sweep over all that the queue holds now; nullopt: it is empty.
  std::optional<machine::SweepRow> sweep_of(QueueKind kind, std::string_view name);

  // Looks at the entries of the sweep's queue from sweep.next on, at most `rows` places, each place once; returns how
  // many. Stays: as it is. Otherwise the entry is gone, and what `look` put into `instead` takes its place, or is
  // appended. `look` may append to other queues.
  enum class Fate : std::uint8_t { stays, goes };
  using Look = std::function<Fate(const WaitingRow& row, std::vector<WaitingRow>& instead)>;
  std::size_t review(machine::SweepRow& sweep, std::size_t rows, const Look& look, bool& is_done);

 private:
  machine::RowTable<QueueRow> queues_;
  machine::RowTable<WaitingRow> entries_;
};

}  // namespace granary::billing
