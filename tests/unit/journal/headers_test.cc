#include "shared/journal/headers.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace granary::journal {
namespace {

using Pairs = std::vector<std::pair<Bytes, Bytes>>;

Pairs pairs_of(const Headers& headers) {
  Pairs pairs;
  for (const auto& [name, value] : headers) pairs.emplace_back(name, value);
  return pairs;
}

TEST(Headers, KeepTheirOrderAndStandInARowAsParts) {
  Headers headers{{"b", "1"}, {"", ""}};
  headers.add(Headers{{"a", Bytes(300, 'x')}});
  headers.add(Headers());
  EXPECT_EQ(headers.size(), 3U);
  EXPECT_EQ(pairs_of(headers), (Pairs{{"b", "1"}, {"", ""}, {"a", Bytes(300, 'x')}}));
  Bytes wanted;
  append_u32(wanted, 3);
  for (const auto& [name, value] : pairs_of(headers)) {
    append_part(wanted, name);
    append_part(wanted, value);
  }
  Bytes row;
  headers.encode(row);
  EXPECT_EQ(row, wanted);
  row += "value";
  BytesView rest = row;
  Headers again{{"old", "old"}};
  ASSERT_TRUE(again.take(rest));
  EXPECT_EQ(again, headers);
  EXPECT_EQ(rest, "value");
}

TEST(Headers, NoneAreFourBytesAndEqualNone) {
  Headers headers;
  Bytes row;
  headers.encode(row);
  EXPECT_EQ(row, Bytes(4, '\0'));
  Headers again{{"old", "old"}};
  BytesView rest = row;
  ASSERT_TRUE(again.take(rest));
  EXPECT_TRUE(again.empty());
  EXPECT_EQ(again, headers);
  EXPECT_EQ(pairs_of(again), Pairs());
  Headers moved{{"a", "b"}};
  headers = std::move(moved);
  headers.clear();
  headers.add("c", "d");
  EXPECT_EQ(headers, (Headers{{"c", "d"}}));
}

TEST(Headers, CutShortAreRefused) {
  Bytes row;
  Headers{{"name", "value"}, {"", "x"}}.encode(row);
  for (std::size_t size = 0; size < row.size(); ++size) {
    BytesView rest = BytesView(row).substr(0, size);
    EXPECT_FALSE(Headers().take(rest)) << size;
  }
  row[0] = '\xff';  // more than there are
  BytesView rest = row;
  EXPECT_FALSE(Headers().take(rest));
}

}  // namespace
}  // namespace granary::journal
