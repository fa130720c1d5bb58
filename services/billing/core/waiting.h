// Parts of charges that wait, first in first out: per project until its customer kind is known, per class until a price
// book prices them. A queue's entries are at places 0, 1, ... without gaps.
//
// Threads: belongs to its machine's thread.
#pragma once

#include <functional>
#include <vector>

#include "services/billing/core/rows.h"
#include "shared/machine/row_table.h"

namespace granary::billing {

class WaitingRoom {
 public:
  WaitingRoom(machine::TableSet& tables, std::size_t rows_max);

  void append(QueueKind kind, std::string_view name, const WaitingRow& row);

  // Looks at each entry in order, once. `look` may append to other queues. Stays: as it is. Otherwise the entry is
  // gone, and what `look` put into `instead` (in order) takes its place.
  enum class Fate : std::uint8_t { stays, goes };
  void review(QueueKind kind, std::string_view name,
              const std::function<Fate(const WaitingRow& row, std::vector<WaitingRow>& instead)>& look);

 private:
  machine::RowTable<QueueRow> queues_;
  machine::RowTable<WaitingRow> entries_;
};

}  // namespace granary::billing
