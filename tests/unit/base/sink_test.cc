#include "shared/base/sink.h"

#include <gtest/gtest.h>

namespace granary {
namespace {

TEST(Sink, HoldsWhatWasAppendedHoweverMuch) {
  Sink sink;
  Bytes wanted;
  EXPECT_EQ(sink.view(), "");
  for (std::size_t i = 0; wanted.size() < 10'000; ++i) {
    const Bytes piece(i % 70, static_cast<char>('a' + i % 26));
    sink.append(piece);
    sink.push_back('.');
    char* at = sink.room(40);
    *at++ = '!';
    sink.grow_to(at);
    wanted += piece + ".!";
    ASSERT_EQ(sink.view(), wanted);
  }
  sink.append({});
  sink.append(Bytes(50'000, 'x'));
  EXPECT_EQ(sink.view(), wanted + Bytes(50'000, 'x'));
}

}  // namespace
}  // namespace granary
