#include "shared/base/text_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "shared/base/encoding.h"
#include "tests/support/temp_directory.h"

namespace granary {
namespace {

using std::string_view_literals::operator""sv;

TEST(Encoding, AByteOrderMarkOfUtf8IsNoPartOfTheText) {
  EXPECT_EQ(*without_byte_order_mark("\xEF\xBB\xBF{}", "x"), "{}");
  EXPECT_EQ(*without_byte_order_mark("{}", "x"), "{}");
  EXPECT_EQ(*without_byte_order_mark("", "x"), "");
  EXPECT_EQ(*without_byte_order_mark("\xEF\xBB", "x"), "\xEF\xBB");
}

TEST(Encoding, Utf16AndUtf32AreNamedAlsoWithoutAMark) {
  for (const auto& [bytes, name] : {std::pair{"\xFF\xFE{\0"sv, "UTF-16"},
                                    {"\xFE\xFF\0{"sv, "UTF-16"},
                                    {"{\0}\0"sv, "UTF-16"},
                                    {"\0{\0}"sv, "UTF-16"},
                                    {"\xFF\xFE\0\0{\0\0\0"sv, "UTF-32"},
                                    {"\0\0\xFE\xFF\0\0\0{"sv, "UTF-32"}}) {
    const auto text = without_byte_order_mark(bytes, "jobs.json");
    ASSERT_FALSE(text.ok()) << name;
    EXPECT_EQ(text.error().code, ErrorCode::invalid_input);
    for (const char* word : {"jobs.json", name, "iconv -f"})
      EXPECT_NE(text.error().message.find(word), std::string::npos) << text.error().message;
  }
}

TEST(TextFile, WhatIsNoTextFileIsNamed) {
  const testing_support::TempDirectory folder;
  const std::string file = folder.path() + "/file";
  std::ofstream(file) << "\xEF\xBB\xBFtext\n";
  EXPECT_EQ(*read_text_file(file, "words", 100), "text\n");
  EXPECT_EQ(read_text_file(file, "words", 3).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(read_text_file("", "words", 100).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_text_file(file + "/below", "words", 100).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_text_file(folder.path(), "words", 100).error().code, ErrorCode::io_error);
  EXPECT_EQ(read_text_file(std::string(300, 'a'), "words", 100).error().code, ErrorCode::io_error);
  const std::string loop = folder.path() + "/loop";
  ASSERT_EQ(::symlink("loop", loop.c_str()), 0);
  EXPECT_EQ(read_text_file(loop, "words", 100).error().code, ErrorCode::io_error);
  const std::string pipe = folder.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_text_file(pipe, "words", 100).error().code, ErrorCode::io_error);
  EXPECT_EQ(*read_text_file("/dev/null", "words", 100), "");
  EXPECT_EQ(read_text_file("/dev/zero", "words", 100).error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace granary
