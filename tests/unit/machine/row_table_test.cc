#include "shared/machine/row_table.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

#include "shared/store/memory_store.h"

namespace granary::machine {
namespace {

enum class Prefix : std::uint8_t { tested = 0x21 };
constexpr auto kPrefix = static_cast<std::uint8_t>(Prefix::tested);
constexpr std::size_t kRowsMax = 4;

struct Number {
  std::uint64_t value = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "value", s.value, codec::kOptional);
  }
};

// Counts the looks into a store that outlives its table, as a process does its disk.
class CountingView final : public store::View {
 public:
  explicit CountingView(const store::View& whole) : whole_(whole) {}
  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override {
    ++gets;
    return whole_.get(key);
  }
  void scan(BytesView from, BytesView to, const std::function<bool(BytesView, BytesView)>& visit) const override {
    whole_.scan(from, to, visit);
  }
  mutable std::size_t gets = 0;

 private:
  const store::View& whole_;
};

class Rows {
 public:
  Rows() { reopen(); }
  void commit() {
    store::WriteSet rows;
    table_->flush(rows);
    ASSERT_TRUE(store_.commit(rows).ok());
    table_->committed();
  }
  void reopen() {
    table_.reset();
    table_.emplace(tables_.emplace(), Prefix::tested, kRowsMax);
    table_->open(view_);
  }
  void put_beside(std::uint8_t prefix) {
    store::WriteSet rows;
    rows.put(Bytes(1, static_cast<char>(prefix)) + "x", "not a row of the table");
    ASSERT_TRUE(store_.commit(rows).ok());
  }
  [[nodiscard]] std::size_t looks() const { return view_.gets; }
  std::optional<std::uint64_t> value(BytesView key) {
    const Number* row = table_->find(key);
    return row == nullptr ? std::nullopt : std::optional(row->value);
  }
  RowTable<Number>* operator->() { return &*table_; }

 private:
  store::MemoryStore store_;
  CountingView view_{store_};
  std::optional<TableSet> tables_;
  std::optional<RowTable<Number>> table_;
};

TEST(RowTable, LooksIntoTheStoreForNothingAsLongAsItHoldsAllRows) {
  Rows rows;
  rows.put_beside(kPrefix - 1);
  rows.put_beside(kPrefix + 1);
  rows.reopen();
  rows->edit("a").value = 1;
  EXPECT_EQ(rows.value("absent"), std::nullopt);
  rows.commit();
  EXPECT_EQ(rows.value("a"), 1U);
  EXPECT_EQ(rows.value("absent too"), std::nullopt);
  rows->erase("a");
  rows.commit();
  EXPECT_EQ(rows.value("a"), std::nullopt);
  EXPECT_EQ(rows.looks(), 0U);
}

TEST(RowTable, FindsAgainWhatItDropped) {
  Rows rows;
  for (const char* key : {"a", "b", "c", "d", "e"}) rows->edit(key).value = 7;
  rows.commit();  // used since the commit before
  rows.commit();  // dropped
  EXPECT_EQ(rows.value("a"), 7U);
  EXPECT_EQ(rows.value("absent"), std::nullopt);
  EXPECT_EQ(rows.looks(), 2U);
}

TEST(RowTable, LooksForRowsThatAnotherLifeWrote) {
  Rows rows;
  rows->edit("a").value = 1;
  rows.commit();
  rows.reopen();
  EXPECT_EQ(rows.value("a"), 1U);
  EXPECT_EQ(rows.value("absent"), std::nullopt);
  EXPECT_EQ(rows.looks(), 2U);
}

class RowTableHistory : public testing::TestWithParam<unsigned> {};

TEST_P(RowTableHistory, AgreesWithAMapWhereverItIsCommittedAndOpened) {
  std::mt19937 random(GetParam());
  const auto below = [&](unsigned count) { return static_cast<unsigned>(random() % count); };
  Rows rows;
  std::map<Bytes, std::uint64_t> expected;
  for (unsigned step = 0; step < 3'000; ++step) {
    const Bytes key(1, static_cast<char>('a' + below(20)));
    const auto stands = expected.find(key);
    switch (below(6)) {
      case 0:
      case 1:
        rows->edit(key).value = expected[key] = step + 1;
        break;
      case 2:
        rows->erase(key);
        expected.erase(key);
        break;
      case 3:
        rows.commit();
        if (below(10) == 0) rows.reopen();
        break;
      default:
        ASSERT_EQ(rows.value(key), stands == expected.end() ? std::nullopt : std::optional(stands->second))
            << "seed " << GetParam() << ", step " << step;
    }
  }
  std::map<Bytes, std::uint64_t> all;
  rows->scan({}, [&](BytesView key, const Number& row) { return all.emplace(key, row.value), true; });
  EXPECT_EQ(all, expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RowTableHistory, testing::Values(1U, 2U, 3U, 4U));

}  // namespace
}  // namespace granary::machine
