#include "shared/units/instant.h"

#include <gtest/gtest.h>

namespace granary::units {
namespace {

TEST(Time, ReadsRfc3339WithAZoneOnly) {
  const struct {
    const char* text;
    TimeTrouble trouble;
    std::int64_t ms;
  } cases[] = {
      {"1970-01-01T00:00:00Z", TimeTrouble::none, 0},
      {"2026-10-31T23:30:00Z", TimeTrouble::none, 1793489400000},
      {"2026-11-01T00:30:00+01:00", TimeTrouble::none, 1793489400000},
      {"2026-10-31T18:30:00.25-05:00", TimeTrouble::none, 1793489400250},
      {"2026-10-31t23:30:00z", TimeTrouble::none, 1793489400000},
      {"2026-10-31T23:30:00.0001Z", TimeTrouble::too_precise, 1793489400000},
      {"2026-10-31T23:30:00", TimeTrouble::no_zone, 0},
      {"2026-10-31 23:30:00Z", TimeTrouble::malformed, 0},
      {"2026-02-29T00:00:00Z", TimeTrouble::malformed, 0},
      {"2026-10-31T24:00:00Z", TimeTrouble::malformed, 0},
      {"2026-10-31T23:30:60Z", TimeTrouble::malformed, 0},
      {"2026-10-31T23:59:61Z", TimeTrouble::malformed, 0},
      {"2026-10-31T23:30Z", TimeTrouble::malformed, 0},
      {"2026-10-31T23:30:00.Z", TimeTrouble::malformed, 0},
      {"2026-10-31T23:30:00ZZ", TimeTrouble::malformed, 0},
      {"1969-12-31T23:59:59Z", TimeTrouble::out_of_range, 0},
      {"", TimeTrouble::malformed, 0},
  };
  for (const auto& c : cases) {
    const ParsedTime got = parse_time(c.text);
    EXPECT_EQ(got.trouble, c.trouble) << c.text;
    EXPECT_EQ(got.at.ms(), c.ms) << c.text;
  }
}

TEST(Time, ALeapSecondIsTheSecondThatFollows) {
  const struct {
    const char* text;
    const char* same;
  } cases[] = {
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
      {"2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250Z"},
      {"2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"},
      {"2016-12-31T15:59:60-08:00", "2017-01-01T00:00:00Z"},
      {"2017-01-01T05:29:60.5+05:30", "2017-01-01T00:00:00.500Z"},
      {"2017-01-01T00:00:60+00:01", "2017-01-01T00:00:00Z"},
      {"2026-10-14T23:59:60Z", "2026-10-15T00:00:00Z"},  // a future one may come at the end of any day
  };
  for (const auto& c : cases) {
    const ParsedTime got = parse_time(c.text);
    EXPECT_EQ(got.trouble, TimeTrouble::none) << c.text;
    EXPECT_EQ(format_time(got.at), c.same) << c.text;
  }
  for (const char* text : {"2016-12-31T23:59:60+01:00", "2016-12-31T00:00:60Z", "2016-12-31T23:58:60Z",
                           "2016-12-31T22:59:60Z", "2016-12-31T23:60:60Z"})
    EXPECT_EQ(parse_time(text).trouble, TimeTrouble::malformed) << text;
  EXPECT_EQ(parse_time("2016-12-31T23:59:60").trouble, TimeTrouble::no_zone);
  EXPECT_EQ(parse_time("2016-12-31T12:30:60").trouble, TimeTrouble::no_zone) << "in some zone it is the day's end";
  EXPECT_EQ(parse_time("9999-12-31T23:59:60Z").trouble, TimeTrouble::out_of_range);
}

TEST(Time, WritesWhatItReads) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2024-02-29T12:34:56Z", "2026-10-31T23:30:00.250Z", "9999-12-31T23:59:59.999Z"})
    EXPECT_EQ(format_time(parse_time(text).at), text);
}

TEST(Month, HasEdgesInUtc) {
  const Instant last(parse_time("2026-10-31T23:59:59.999Z").at);
  EXPECT_EQ(format_month(month_of(last)), "2026-10");
  EXPECT_EQ(format_time(month_start(next_month(month_of(last)))), "2026-11-01T00:00:00Z");
  EXPECT_EQ(format_month(month_of(parse_time("2026-12-31T23:00:00Z").at)), "2026-12");
  EXPECT_EQ(parse_month("2026-12"), month_of(parse_time("2026-12-01T00:00:00Z").at));
  EXPECT_FALSE(parse_month("2026-13"));
  EXPECT_FALSE(parse_month("2026-1"));
}

}  // namespace
}  // namespace granary::units
