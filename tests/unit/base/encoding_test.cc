#include "shared/base/encoding.h"

#include <gtest/gtest.h>

#include <string>

namespace granary {
namespace {

using std::string_literals::operator""s;

TEST(Encoding, AUtf8MarkIsPassedOverAndOthersAreNamed) {
  EXPECT_EQ(*without_byte_order_mark("\xef\xbb\xbf{}", "a"), "{}");
  EXPECT_EQ(*without_byte_order_mark("\xef\xbb", "a"), "\xef\xbb");
  EXPECT_EQ(*without_byte_order_mark("", "a"), "");
  EXPECT_NE(without_byte_order_mark("\xff\xfe{", "a").error().message.find("iconv -f UTF-16"), std::string::npos);
  for (const std::string& text : {"\xff\xfe{\0"s, "\xfe\xff\0{"s, "{\0\"\0"s, "\0[\0\n"s, "\xff\xfe"s}) {
    EXPECT_STREQ(wide_encoding(text), "UTF-16");
  }
  for (const std::string& text : {"\xff\xfe\0\0{\0\0\0"s, "\0\0\xfe\xff"s, "{\0\0\0"s, "\0\0\0["s}) {
    EXPECT_STREQ(wide_encoding(text), "UTF-32");
  }
  for (const std::string& text : {""s, "{"s, "{}"s, "\xef\xbb\xbf{}"s, "JobID|"s, "\0\1\2\3"s, "\0\0\0\0"s, "a\0bc"s}) {
    EXPECT_EQ(wide_encoding(text), nullptr) << text;
  }
}

}  // namespace
}  // namespace granary
