// Rows of the embedded journal: what was written is read, and what was not is found out.
#include "shared/journal/embedded_rows.h"

#include <gtest/gtest.h>

namespace granary::journal {
namespace {

std::vector<Record> some_records(int count) {
  std::vector<Record> records;
  for (int i = 0; i < count; ++i)
    records.push_back({"value " + std::to_string(i), "key", {{"name", std::to_string(i)}}});
  return records;
}

TEST(EmbeddedRows, OfOneRecordIsNotCompressed) {
  const auto rows = encode_records({{"value", "", {}}});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].value, Bytes("\0value", 6));
}

TEST(EmbeddedRows, OfSeveralAreSmallerThanWhatTheyHoldAndCutAtSomeSize) {
  const auto records = some_records(10'000);
  const auto rows = encode_records(records);
  EXPECT_GT(rows.size(), 2U);
  std::size_t bytes = 0;
  std::size_t at = 0;
  RecordsReader reader;
  Record record;
  for (const RecordsRow& row : rows) {
    bytes += row.value.size();
    ASSERT_TRUE(reader.open(row.value));
    ASSERT_EQ(reader.left(), row.records);
    while (reader.left() > 0) {
      ASSERT_TRUE(reader.next(record));
      ASSERT_EQ(record, records[at++]);
    }
    EXPECT_FALSE(reader.next(record));
  }
  EXPECT_EQ(at, records.size());
  EXPECT_LT(bytes, 10'000U * 30 / 2);
}

TEST(EmbeddedRows, ABrokenOneIsNeverReadAsMoreOrFewerRecords) {
  const auto records = some_records(40);
  const Bytes whole = encode_records(records).front().value;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    RecordsReader reader;
    EXPECT_FALSE(reader.open(BytesView(whole).substr(0, size))) << size;
  }
  // A flipped bit may be in a record's bytes, which the database's checksums see; it is no crash, and the count holds.
  for (std::size_t bit = 8; bit < whole.size() * 8; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    RecordsReader reader;
    if (!reader.open(flipped)) continue;
    const std::uint32_t count = reader.left();
    std::size_t read = 0;
    Record record;
    while (reader.left() > 0 && reader.next(record)) ++read;
    EXPECT_TRUE(read < count || count == records.size()) << bit;
  }
}

}  // namespace
}  // namespace granary::journal
