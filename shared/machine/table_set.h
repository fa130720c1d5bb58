// The tables of a machine, listed by themselves: a table is made with the set of its machine and registers there, so
// that none can be forgotten where the machine opens, shows or writes its rows.
//
//   class CountingMachine : public Machine {
//     void flush(store::WriteSet& rows) override { tables_.flush(rows); }
//     TableSet tables_;  // before the tables
//     RowTable<CountRow> counts_{tables_, Table::counts, kRowsMax};
//   };
//
// Threads: as the machine. Ownership: a set knows its tables and owns none; both belong to the same machine and never
// move.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "shared/base/check.h"
#include "shared/store/store.h"

namespace granary::machine {

class TableSet;

// A machine's enum of its tables: the first byte of their keys.
template <class T>
concept TablePrefix = std::is_same_v<std::underlying_type_t<T>, std::uint8_t>;

// What a set calls, once a commit or less often; it costs nothing per event.
class AnyTable {
 public:
  AnyTable(const AnyTable&) = delete;
  AnyTable& operator=(const AnyTable&) = delete;

  // Machine::open() for this table: the view shows the rows of the last commit and lives as long as the table.
  virtual void open(const store::View& rows) = 0;
  // Machine::show(): only questions follow. Reads nothing yet, forgets what it saw before.
  virtual void show(const store::View& rows) = 0;
  // Adds each row that changed since the last flush.
  virtual void flush(store::WriteSet& rows) = 0;
  // The rows of the last flush are in the store: the cache may shrink.
  virtual void committed() = 0;

 protected:
  // All keys of the table begin with `prefix`, which no other table of the set has.
  AnyTable(TableSet& set, std::uint8_t prefix);
  ~AnyTable() = default;
  [[nodiscard]] std::uint8_t prefix() const { return prefix_; }

 private:
  std::uint8_t prefix_;
};

class TableSet {
 public:
  TableSet() = default;
  TableSet(const TableSet&) = delete;
  TableSet& operator=(const TableSet&) = delete;

  void open(const store::View& rows) {
    for (AnyTable* table : tables_) table->open(rows);
  }
  void show(const store::View& rows) {
    for (AnyTable* table : tables_) table->show(rows);
  }
  void flush(store::WriteSet& rows) {
    for (AnyTable* table : tables_) table->flush(rows);
  }
  void committed() {
    for (AnyTable* table : tables_) table->committed();
  }

 private:
  friend class AnyTable;
  void add(AnyTable& table, std::uint8_t prefix) {
    GRANARY_CHECK(!taken_[prefix], "two tables of a machine have the same prefix");
    taken_[prefix] = true;
    tables_.push_back(&table);
  }
  std::vector<AnyTable*> tables_;
  std::vector<bool> taken_ = std::vector<bool>(256);
};

inline AnyTable::AnyTable(TableSet& set, std::uint8_t prefix) : prefix_(prefix) {
  set.add(*this, prefix);
}

// The law of a table's rows, tested as they are written.
template <class Row>
class RowLaw {
 public:
  virtual ~RowLaw() = default;
  // A row that has changed; nullptr: it was erased. `key` begins with the table's prefix. Breaks a law if the row does.
  virtual void check(BytesView key, const Row* row) = 0;
  // All rows that changed since the last flush were checked.
  virtual void checked_all() {}
};

}  // namespace granary::machine
