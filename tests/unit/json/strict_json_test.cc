// What strict JSON takes, what it refuses, and where it says the trouble is.
#include "shared/json/strict_json.h"

#include <gtest/gtest.h>

#include <string>

#include "shared/json/writer.h"

namespace granary::json {
namespace {

std::string refusal(std::string_view text, const Limits& limits = {}) {
  const auto result = parse(text, limits);
  return result.ok() ? "(accepted)" : result.error().message;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(StrictJson, KeepsEveryKindAndTheOrderOfMembers) {
  const auto result = parse(R"( {"z": null, "a": [true, false, -1.50, "x\u00e9\n"], "m": {}} )");
  ASSERT_TRUE(result.ok()) << result.error().message;
  const Value& root = *result;
  ASSERT_EQ(root.kind(), Kind::object);
  ASSERT_EQ(root.members().size(), 3U);
  EXPECT_EQ(root.members()[0].name, "z");
  EXPECT_EQ(root.members()[1].name, "a");
  EXPECT_EQ(root.members()[2].name, "m");
  EXPECT_TRUE(root.find("z")->is(Kind::null));
  const auto& items = root.find("a")->items();
  ASSERT_EQ(items.size(), 4U);
  EXPECT_TRUE(items[0].boolean());
  EXPECT_FALSE(items[1].boolean());
  EXPECT_EQ(items[2].number_text(), "-1.50");
  EXPECT_EQ(items[3].string(), "x\xC3\xA9\n");
  EXPECT_TRUE(root.find("m")->members().empty());
  EXPECT_EQ(root.find("none"), nullptr);
  EXPECT_EQ(items[0].find("a"), nullptr);
}

TEST(StrictJson, NumbersKeepTheirText) {
  for (const char* text : {"0", "-0", "18446744073709551616", "1e400", "1E-7", "1.000",
                           "123456789012345678901234567890", "0.1000000000000000055511151231257827"}) {
    const auto result = parse(text);
    ASSERT_TRUE(result.ok()) << text << ": " << result.error().message;
    EXPECT_EQ(result->number_text(), text);
  }
}

TEST(StrictJson, AnIntegerIsPlainDigitsThatFit) {
  EXPECT_EQ(parse("-42")->integer(), -42);
  EXPECT_EQ(parse("9223372036854775807")->integer(), INT64_MAX);
  EXPECT_EQ(parse("9223372036854775808")->integer(), std::nullopt);
  EXPECT_EQ(parse("1.0")->integer(), std::nullopt);
  EXPECT_EQ(parse("1e3")->integer(), std::nullopt);
  EXPECT_EQ(parse("\"1\"")->integer(), std::nullopt);
}

TEST(StrictJson, WhatIsNoJsonIsRefused) {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "NaN",
                           "Infinity",
                           "-Infinity",
                           "[1,]",
                           "{\"a\":1,}",
                           "{'a':1}",
                           "// c\n1",
                           "/* c */ 1",
                           "1 2",
                           "{} x",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "0x1",
                           "\"a",
                           "\"\t\"",
                           "\"\\x\"",
                           "[1",
                           "{\"a\"}",
                           "{a:1}",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\xC3\"",
                           "\"\xC0\xAF\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xF4\x90\x80\x80\"",
                           "\xEF\xBB\xBF",
                           "\xEF\xBB{}",
                           " \xEF\xBB\xBF{}",
                           "{}\xEF\xBB\xBF",
                           "\xEF\xBB\xBF\xEF\xBB\xBF{}"}) {
    EXPECT_TRUE(contains(refusal(text), "RFC 8259")) << '[' << text << "] " << refusal(text);
  }
}

TEST(StrictJson, AByteOrderMarkOfUtf8IsSkipped) {
  const auto result = parse("\xEF\xBB\xBF{\"a\":1}");
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->find("a")->integer(), 1);
  const std::string message = refusal("\xEF\xBB\xBF[0,x]");
  EXPECT_TRUE(contains(message, "'/1', byte 6")) << message;  // of the text as it came
}

TEST(StrictJson, AnotherEncodingIsNamedAndHowToConvertIt) {
  const std::string little("[\0{\0", 4);
  const std::string big("\0[\0{", 4);
  const struct {
    std::string text;
    const char* encoding;
  } cases[] = {
      {"\xFF\xFE" + little, "UTF-16"},
      {"\xFE\xFF" + big, "UTF-16"},
      {little, "UTF-16"},
      {big, "UTF-16"},
      {std::string("1\0", 2), "UTF-16"},
      {std::string("\xFF\xFE\0\0[\0\0\0", 8), "UTF-32"},
      {std::string("\0\0\xFE\xFF\0\0\0[", 8), "UTF-32"},
      {std::string("[\0\0\0]\0\0\0", 8), "UTF-32"},
      {std::string("\0\0\0[", 4), "UTF-32"},
  };
  for (const auto& c : cases) {
    const std::string message = refusal(c.text);
    EXPECT_TRUE(contains(message, std::string("in UTF-8, got ") + c.encoding)) << message;
    EXPECT_TRUE(contains(message, "hint: ") && contains(message, "iconv")) << message;
  }
  EXPECT_FALSE(contains(refusal(std::string("\0", 1)), "UTF-16"));
  EXPECT_FALSE(contains(refusal(std::string("[1,\0", 4)), "UTF-16"));
}

TEST(StrictJson, ADuplicateNameIsRefusedWithItsPointer) {
  const std::string message = refusal(R"({"a":[{"b/c~":1},{"b/c~":1,"d":2,"b\u002fc~":3}]})");
  EXPECT_TRUE(contains(message, "each name once")) << message;
  EXPECT_TRUE(contains(message, "'/a/1/b~1c~0'")) << message;
  EXPECT_TRUE(contains(message, "byte 4")) << message;
}

TEST(StrictJson, ADuplicateAmongManyNamesIsRefused) {
  std::string text = "{";
  for (int i = 0; i < 40'000; ++i) text += "\"n" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(parse(text + "\"n40000\":1}").ok());
  for (const char* again : {"n0", "n16", "n39999"}) {
    const std::string message = refusal(text + '"' + again + "\":1}");
    EXPECT_TRUE(contains(message, std::string("'/") + again + "'")) << message;
  }
}

TEST(StrictJson, SyntaxErrorsSayWhere) {
  const std::string message = refusal(R"({"ok":1,"list":[0,1,tru]})");
  EXPECT_TRUE(contains(message, "'/list/2'")) << message;
  EXPECT_TRUE(contains(message, "byte 20")) << message;
}

TEST(StrictJson, DepthIsLimited) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse(nested(16)).ok());
  EXPECT_TRUE(contains(refusal(nested(17)), "at most 16 deep"));
  EXPECT_TRUE(contains(refusal(std::string(500'000, '[')), "at most 16 deep"));
  EXPECT_TRUE(contains(refusal(R"({"a":{"a":1}})", {.bytes = 100, .depth = 1}), "at most 1 deep"));
}

TEST(StrictJson, SizeIsLimited) {
  EXPECT_TRUE(parse("[1,2]", {.bytes = 5}).ok());
  EXPECT_TRUE(contains(refusal("[1,23]", {.bytes = 5}), "at most 5 bytes, got 6"));
}

TEST(JsonWriter, WhatIsWrittenReadsBackTheSame) {
  std::string all;
  for (int byte = 0; byte < 128; ++byte) all += static_cast<char>(byte);
  all += "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8C\xBE";
  std::string out;
  append_json_string(out, all);
  const auto result = parse(out);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->string(), all);
}

TEST(JsonWriter, EscapesWhereverItStands) {
  for (std::size_t at = 0; at < 20; ++at) {
    for (int byte = 0; byte < 128; ++byte) {
      std::string text(20, byte == 'b' ? 'c' : 'b');
      text[at] = static_cast<char>(byte);
      std::string out;
      append_json_string(out, text);
      const auto result = parse(out);
      ASSERT_TRUE(result.ok()) << out;
      ASSERT_EQ(result->string(), text);
      const bool is_plain = byte >= 0x20 && byte != '"' && byte != '\\';
      ASSERT_EQ(out.size() == text.size() + 2, is_plain) << byte << " at " << at;
      Sink sink;
      append_json_string(sink, text);
      ASSERT_EQ(sink.view(), out);
    }
  }
}

TEST(JsonWriter, EscapesWhatMustBe) {
  std::string out = "x=";
  append_json_string(out, "\"\\\n\r\t\x01/");
  EXPECT_EQ(out, R"(x="\"\\\n\r\t\u0001/")");
}

TEST(JsonWriter, WhatIsNotUtf8BecomesTheReplacementCharacter) {
  for (const char* text : {"\xC3", "\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"}) {
    std::string out;
    append_json_string(out, std::string("a") + text + "b");
    const auto result = parse(out);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_TRUE(contains(result->string(), "\xEF\xBF\xBD"));
    EXPECT_EQ(result->string().front(), 'a');
    EXPECT_EQ(result->string().back(), 'b');
  }
}

}  // namespace
}  // namespace granary::json
