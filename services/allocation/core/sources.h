// Sources' statements, passed on to the ledger once all metering shards have folded them. Belongs to its machine's
// thread.
#pragma once

#include <optional>

#include "services/allocation/core/rows.h"
#include "shared/machine/row_table.h"

namespace granary::allocation {

class Sources {
 public:
  Sources(machine::TableSet& tables, std::size_t rows_max) : rows_(tables, Table::sources, rows_max) {}

  // Metering shard `shard` of `shards` has folded a statement. Returns the statement that may be passed on by now: the
  // earliest of the furthest ones that each shard has reported, whenever that moves forward. Each shard reports a
  // source's statements in the same order, so each of them is passed on exactly once; one that does not reach further
  // than an earlier one says nothing new and is not.
  std::optional<events::SourceCompleted> reported(const events::SourceCompleted& statement, std::uint16_t shard,
                                                  std::uint16_t shards);

 private:
  machine::RowTable<SourceRow> rows_;
  Bytes key_;
};

}  // namespace granary::allocation
