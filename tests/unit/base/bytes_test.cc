#include "shared/base/bytes.h"

#include <gtest/gtest.h>

namespace granary {
namespace {

TEST(Bytes, NumbersSortAsTheirBytesDo) {
  Bytes low, high;
  append_i64(low, -5);
  append_i64(high, 3);
  EXPECT_LT(low, high);
  EXPECT_EQ(read_i64(low), -5);
  EXPECT_EQ(read_i64(high), 3);
}

TEST(Bytes, PartsComeBackInOrder) {
  Bytes key;
  append_part(key, "slurm://aif1");
  append_part(key, "");
  BytesView rest = key;
  EXPECT_EQ(take_part(rest), "slurm://aif1");
  EXPECT_EQ(take_part(rest), "");
  EXPECT_FALSE(take_part(rest).has_value());
  BytesView cut = BytesView(key).substr(0, 7);
  EXPECT_FALSE(take_part(cut).has_value());
}

TEST(Bytes, Base64UrlHasOneTextPerValue) {
  for (const Bytes& value : {Bytes(), Bytes("a"), Bytes("ab"), Bytes("abc"), Bytes("\xff\x00\xfe\x01", 4)})
    EXPECT_EQ(from_base64url(to_base64url(value)), value);
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  EXPECT_FALSE(from_base64url("A"));
  EXPECT_FALSE(from_base64url("-_9"));
  EXPECT_FALSE(from_base64url("ab=="));
}

TEST(Bytes, HexIsLowerCase) {
  EXPECT_EQ(to_hex("\x01\xab"), "01ab");
  EXPECT_EQ(from_hex("01ab"), "\x01\xab");
  EXPECT_FALSE(from_hex("01AB"));
  EXPECT_FALSE(from_hex("01a"));
}

TEST(Bytes, PrefixEndIsTheNextPrefix) {
  EXPECT_EQ(prefix_end("a"), "b");
  EXPECT_EQ(prefix_end("a\xff"), "b");
  EXPECT_EQ(prefix_end("\xff"), "");
}

}  // namespace
}  // namespace granary
