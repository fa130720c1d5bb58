#include "shared/machine/table_set.h"

#include <gtest/gtest.h>

#include "shared/machine/row_table.h"
#include "shared/store/memory_store.h"

namespace granary::machine {
namespace {

enum class Table : std::uint8_t { odd = 1, even };

struct Number {
  std::uint64_t value = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "value", s.value, codec::kRequired);
  }
};

// What a law was shown of one flush.
class Shown final : public RowLaw<Number> {
 public:
  void check(BytesView key, const Number* row) override {
    told += Bytes(key.substr(1)) + "=" + (row == nullptr ? "gone" : std::to_string(row->value)) + " ";
  }
  void checked_all() override { told += "all; "; }
  std::string told;
};

TEST(TableSet, EachTableIsOpenedShownFlushedAndCommittedByBeingMadeWithIt) {
  store::MemoryStore store;
  TableSet tables;
  RowTable<Number> odd(tables, Table::odd, 1), even(tables, Table::even, 1);
  tables.open(store);
  odd.edit("a").value = 1;
  even.edit("a").value = 2;
  store::WriteSet rows;
  tables.flush(rows);
  ASSERT_TRUE(store.commit(rows).ok());
  tables.committed();

  TableSet shown_tables;
  RowTable<Number> shown_odd(shown_tables, Table::odd, 1), shown_even(shown_tables, Table::even, 1);
  shown_tables.show(store);
  EXPECT_EQ(shown_odd.find("a")->value, 1U);
  EXPECT_EQ(shown_even.find("a")->value, 2U);
}

TEST(TableSet, ALawSeesEachRowThatIsWrittenAndThenThatAllWereSeen) {
  store::MemoryStore store;
  Shown shown;
  TableSet tables;
  RowTable<Number> odd(tables, Table::odd, 8, &shown);
  tables.open(store);
  odd.edit("b").value = 3;
  odd.edit("a").value = 1;
  store::WriteSet first;
  tables.flush(first);
  ASSERT_TRUE(store.commit(first).ok());
  odd.erase("b");
  store::WriteSet second;
  tables.flush(second);
  EXPECT_EQ(shown.told, "a=1 b=3 all; b=gone all; ");
}

TEST(TableSet, TwoTablesWithOnePrefixBreakALaw) {
  TableSet tables;
  RowTable<Number> odd(tables, Table::odd, 1);
  EXPECT_DEATH(RowTable<Number>(tables, Table::odd, 1), "two tables of a machine have the same prefix");
}

}  // namespace
}  // namespace granary::machine
