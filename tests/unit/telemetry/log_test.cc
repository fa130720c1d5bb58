// Lines stay one line and valid JSON whatever is in them; a budget bounds them and says what it left out.
#include "shared/telemetry/log.h"

#include <gtest/gtest.h>

#include <regex>

#include "shared/base/check.h"
#include "shared/json/strict_json.h"
#include "shared/json/utf8.h"
#include "tests/support/log_lines.h"

namespace granary::telemetry {
namespace {

constexpr units::Instant kAt{1793534400123};

TEST(LogLine, IsOneJsonObjectWithItsFields) {
  EXPECT_EQ(render(Format::json, kAt, Level::error, "partition_parked", "It is parked",
                   {{"topic", "granary.usage.v1"},
                    {"partition", 3U},
                    {"position", std::uint64_t{18446744073709551615U}},
                    {"cause", ""}}),
            R"({"time":"2026-11-01T12:00:00.123Z","level":"error","event":"partition_parked","message":"It is parked",)"
            R"("topic":"granary.usage.v1","partition":3,"position":18446744073709551615})");
}

TEST(LogLine, JsonHoldsQuotesNewlinesControlsAndWhatIsNoUtf8) {
  const std::string foreign = std::string("a\"b\\c\nd\r\te\x1b[2J\x7f", 15) + std::string("\0\xff\xc3", 3) + "\xC3\xA9";
  const std::string line = render(Format::json, kAt, Level::info, "e", foreign, {{"na\"me", foreign}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_TRUE(json::is_utf8(line));
  const auto parsed = json::parse(line);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message << line;
  const std::string expected =
      std::string("a\"b\\c\nd\r\te\x1b[2J\x7f", 15) + std::string("\0\xEF\xBF\xBD\xEF\xBF\xBD", 7) + "\xC3\xA9";
  EXPECT_EQ(parsed->find("message")->string(), expected);
  EXPECT_EQ(parsed->find("na\"me")->string(), expected);
}

TEST(LogLine, TextStaysOneLineThatATerminalDoesNotObey) {
  EXPECT_EQ(
      render(
          Format::text, kAt, Level::warn, "append_failed", "It \"failed\"\n\x1b[2J",
          {{"topic", "granary.usage.v1"}, {"partition", 3U}, {"cause", "no \"space\""}, {"id", "a=b"}, {"hint", ""}}),
      "2026-11-01T12:00:00.123Z warn append_failed: It \\\"failed\\\"\\n\\u001b[2J topic=granary.usage.v1 partition=3 "
      "cause=\"no \\\"space\\\"\" id=\"a=b\"");
}

TEST(Log, GoesToStderrAsChosenAndAsOneLine) {
  start(Format::json);
  ::testing::internal::CaptureStderr();
  log(Level::info, "one", "100 %s {} %v", {{"shard", 1U}});
  log(Level::warn, "two", "a\nb");
  const std::string written = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(std::regex_match(
      written,
      std::regex(R"(\{"time":"\d{4}-[^"]*Z","level":"info","event":"one","message":"100 %s \{\} %v","shard":1\}\n)"
                 R"(\{"time":"[^"]*","level":"warn","event":"two","message":"a\\nb"\}\n)")))
      << written;
}

TEST(LogDeathTest, ABrokenLawIsALineLikeOthers) {
  EXPECT_DEATH(
      {
        start(Format::json);
        GRANARY_CHECK(1 == 2, "books \"do\" not balance");
      },
      R"(\{"time":"[^"]*","level":"error","event":"law_broken",.*"cause":"books ..do.. not balance".*"line":[0-9]+\})");
}

class FakeClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return 0; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return at_ms; }
  std::int64_t at_ms = 5'000;
};

TEST(LineBudget, WritesSoManyASecondAndSaysWhatItLeftOut) {
  FakeClock clock;
  LineBudget budget(2, clock);
  EXPECT_EQ(budget.take(), 0U);
  clock.at_ms = 5'999;
  EXPECT_EQ(budget.take(), 0U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(budget.take(), std::nullopt);
  clock.at_ms = 6'000;
  EXPECT_EQ(budget.take(), 3U);
  EXPECT_EQ(budget.take(), 0U);
  EXPECT_EQ(budget.take(), std::nullopt);
}

}  // namespace
}  // namespace granary::telemetry
