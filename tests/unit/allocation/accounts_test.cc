// The laws of a row of accounts, each broken once.
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

AccountRow good() {
  AccountRow row;
  row.issued = Amount(-10);
  row.outside = Amount(-3);
  row.uncovered = Amount(2);
  row.unassigned = Amount(1);
  Lot& one = row.lots.emplace_back();
  one.granted = Amount(10);
  one.available = Amount(4);
  one.reserved = Amount(3);
  one.used = Amount(2);
  one.expired = Amount(1);
  return row;
}

TEST(BooksDeathTest, every_broken_law_is_seen) {
  check_books(good());
  const auto breaks = [](auto change, const char* message) {
    AccountRow row = good();
    change(row);
    EXPECT_DEATH(check_books(row), message);
  };
  breaks([](AccountRow& row) { row.lots[0].granted = Amount(11); }, "another amount than it was granted");
  breaks(
      [](AccountRow& row) {
        row.lots[0].available = Amount(-1);
        row.lots[0].used = Amount(7);
      },
      "below zero");
  breaks(
      [](AccountRow& row) {
        row.uncovered = Amount(-1);
        row.unassigned = Amount(4);
      },
      "below zero");
  breaks([](AccountRow& row) { row.issued = Amount(-11); }, "sum to zero");
  breaks([](AccountRow& row) { row.outside = Amount(-4); }, "sum to zero");
}

}  // namespace
}  // namespace granary::allocation::test
