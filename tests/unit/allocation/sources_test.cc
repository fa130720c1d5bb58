// Sources' statements go on once, when every metering shard has folded them.
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

TEST(Sources, pass_on_what_the_slowest_shard_has_reported) {
  World world;
  const auto state = [&](std::uint16_t shard, std::string_view through, std::uint64_t records,
                         std::string source = "s") {
    world.metering(events::SourceCompleted{std::move(source), at(through), records}, shard);
  };
  const auto passed = [&] {
    Lines texts;
    for (const auto& one : world.out.all<events::SourceCompleted>())
      texts.push_back(one.source + " " + units::format_time(one.complete_through) + " " + std::to_string(one.records));
    return texts;
  };
  const auto four_times = [](const std::string& text) { return Lines(World::kPartitions, text); };
  for (const std::uint16_t shard : {3, 0, 1}) state(shard, "2026-01-01T00:00:00Z", 10);
  state(3, "2026-01-02T00:00:00Z", 20);
  state(2, "2026-01-01T00:00:00Z", 7, "other");
  EXPECT_TRUE(passed().empty());
  state(2, "2026-01-01T00:00:00Z", 10);
  Lines wanted = four_times("s 2026-01-01T00:00:00Z 10");
  EXPECT_EQ(passed(), wanted);
  for (std::size_t i = 0; i < world.out.sent.size(); ++i) {
    EXPECT_EQ(world.out.sent[i].topic, Topic::ledger);
    EXPECT_EQ(world.out.sent[i].partition, i);
  }
  world.flush();
  world.reopen();
  // Again, and earlier: nothing new.
  state(0, "2026-01-01T00:00:00Z", 10);
  state(0, "2025-01-01T00:00:00Z", 10);
  for (const std::uint16_t shard : {0, 1}) state(shard, "2026-01-02T00:00:00Z", 20);
  EXPECT_EQ(passed(), wanted);
  state(2, "2026-01-03T00:00:00Z", 30);
  for (const std::string& text : four_times("s 2026-01-02T00:00:00Z 20")) wanted.push_back(text);
  EXPECT_EQ(passed(), wanted);
}

}  // namespace
}  // namespace granary::allocation::test
