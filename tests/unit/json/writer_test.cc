#include "shared/json/writer.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "shared/json/strict_json.h"

namespace granary::json {
namespace {

template <class Out>
void write_example(Out& out) {
  Writer<Out> writer(out);
  writer.begin_object().member("text", "a\"\n\xFF").member("least", INT64_MIN).member("most", UINT64_MAX);
  writer.name("list").begin_array().value(1).null().value(true).begin_object().end_object().begin_array().end_array();
  writer.end_array().member("string", std::string("s")).name("ready").json(R"({"x":[]})").end_object();
}

constexpr const char* kExample =
    R"({"text":"a\"\n)"
    "\xEF\xBF\xBD"
    R"(","least":-9223372036854775808,"most":18446744073709551615,"list":[1,null,true,{},[]],"string":"s","ready":{"x":[]}})";

TEST(Writer, WritesTheSameToAStringAndToASink) {
  std::string text;
  write_example(text);
  EXPECT_EQ(text, kExample);
  Sink sink;
  write_example(sink);
  EXPECT_EQ(sink.view(), kExample);
}

TEST(Writer, PutsNoCommaBeforeTheFirst) {
  std::string text;
  Writer<std::string>(text).begin_array().begin_array().value("").end_array().value(false).end_array();
  EXPECT_EQ(text, R"([[""],false])");
}

TEST(Writer, AValueComesBackAsItWasRead) {
  std::string text = "before ";
  const auto value = parse(kExample);
  ASSERT_TRUE(value.ok()) << value.error().message;
  append_json(text, *value);
  EXPECT_EQ(text, std::string("before ") + kExample);
}

}  // namespace
}  // namespace granary::json
