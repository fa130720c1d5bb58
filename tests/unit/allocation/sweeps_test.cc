// Lots that end together, and usage that waited for its project, are done a few rows at a time.
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

constexpr std::size_t kRows = machine::kSweepRows;
constexpr const char* kEnd = "2026-02-01T00:00:00Z";

std::string named(std::size_t number) {
  const std::string text = std::to_string(number);
  return "p" + std::string(5 - text.size(), '0') + text;
}

void open_many(World& world, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    world.open_project(named(i));
    world.intake(grant(1, {lot(1, hours(1), "2026-01-01T00:00:00Z", kEnd)}, "2026-01-01T00:00:00Z", named(i)));
  }
}

std::size_t expired(const World& world) {
  return world.out.all<events::LotExpired>().size();
}

// An event that does nothing itself: what is done before it is the sweep's.
void pass(World& world) {
  world.metering(events::SourceCompleted{"slurm://x", at(kEnd), 1});
}

TEST(Sweeps, LotsThatEndTogetherExpireAFewAtATime) {
  World world;
  world.tick("2026-01-15T00:00:00Z");
  open_many(world, 10 * kRows + 2 * kRows + 3);
  world.tick(kEnd);
  EXPECT_EQ(expired(world), 10 * kRows);
  EXPECT_EQ(world.machine().swept_until(world.context()), at(kEnd)) << "beyond the end nothing is complete";
  world.flush();
  world.reopen();
  pass(world);
  EXPECT_EQ(expired(world), 11 * kRows);
  pass(world);
  pass(world);
  EXPECT_EQ(expired(world), 12 * kRows + 3);
  EXPECT_FALSE(world.machine().has_sweeps(world.context()));
  EXPECT_EQ(world.machine().swept_until(world.context()), std::nullopt);
}

// What touches an account first does what is due there: a lot that has ended covers nothing more than it did.
TEST(Sweeps, ALotThatIsDueIsNotTakenFrom) {
  World world;
  world.tick("2026-01-15T00:00:00Z");
  const std::size_t last = 11 * kRows + 2;
  open_many(world, last + 1);
  world.tick("2026-02-01T00:00:10Z");
  ASSERT_EQ(expired(world), 10 * kRows);
  world.metering(interim("j", "2026-02-01T00:00:05Z", hours(1), named(last)));
  EXPECT_EQ(world.balance(named(last)).reserved, Amount());
  EXPECT_EQ(world.balance(named(last)).expired, hours(1));
  EXPECT_EQ(expired(world), 11 * kRows + 1) << "a turn of the sweep, and the lot of this project";
  world.metering(usage("u", "2026-02-01T00:00:00Z", "2026-02-01T01:00:00Z", hours(1), named(last - 1)));
  EXPECT_EQ(world.balance(named(last - 1)).uncovered, hours(1));
  pass(world);
  EXPECT_EQ(expired(world), last + 1);
  EXPECT_FALSE(world.machine().has_sweeps(world.context()));
}

TEST(Sweeps, UsageThatWaitedForItsProjectIsChargedAFewAtATimeAndInOrder) {
  World world;
  const auto post = [&world](const std::string& id) {
    world.metering(usage(id, "2026-01-10T00:00:00Z", "2026-01-10T01:00:00Z", Amount(1), "late"));
  };
  for (std::size_t i = 0; i < 4 * kRows + 5; ++i) post(std::to_string(i));
  world.tick("2026-01-15T00:00:00Z");
  world.open_project("late");
  const auto charged = [&world] { return world.out.all<events::UsageCharged>(); };
  EXPECT_EQ(charged().size(), kRows);
  EXPECT_EQ(world.machine().swept_until(world.context()), at("2026-01-15T00:00:00Z"));
  EXPECT_TRUE(world.machine().owes(MachineKind::intake, 0, 1));
  // Another project's goes on at once, this one's behind what came before.
  world.open_project("other");
  world.metering(usage("others", "2026-01-10T00:00:00Z", "2026-01-10T01:00:00Z", Amount(1), "other"));
  EXPECT_EQ(charged().back().id, "others");
  world.flush();
  world.reopen();
  post("joins");
  EXPECT_EQ(charged().back().id, std::to_string(4 * kRows - 1)) << "the sweep's turn came first";
  pass(world);
  EXPECT_EQ(charged().back().id, "joins");
  EXPECT_EQ(charged().size(), 4 * kRows + 7);
  EXPECT_EQ(world.machine().waiting_of("late"), 0U);
  EXPECT_EQ(world.counts().waiting, 0U);
  EXPECT_FALSE(world.machine().owes(MachineKind::intake, 0, 1));
  EXPECT_FALSE(world.machine().has_sweeps(world.context()));
}

// The hold of a job whose final usage waits for its turn ends with it.
TEST(Sweeps, AHoldEndsAsItsUsageIsCharged) {
  World world;
  for (std::size_t i = 0; i < 4 * kRows + 1; ++i)
    world.metering(usage(std::to_string(i), "2026-01-10T00:00:00Z", "2026-01-10T01:00:00Z", Amount(1), "late"));
  world.tick("2026-01-10T02:00:00Z");
  world.open_project("late");
  world.intake(grant(1, {lot(1, hours(9), "2026-01-01T00:00:00Z", kEnd)}, "2026-01-01T00:00:00Z", "late"));
  world.metering(interim("j", "2026-01-10T02:00:00Z", hours(1), "late"));
  EXPECT_EQ(world.balance("late").reserved, hours(1));
  world.metering(usage("j", "2026-01-10T01:00:00Z", "2026-01-10T03:00:00Z", hours(2), "late"));
  EXPECT_EQ(world.balance("late").reserved, hours(1)) << "its usage is at the end of the queue";
  pass(world);
  EXPECT_EQ(world.balance("late").reserved, Amount());
  EXPECT_EQ(world.balance("late").used, hours(2) + Amount(2 * kRows + 1)) << "what came before the grant is uncovered";
}

TEST(Sweeps, RestartsChangeNothing) {
  const auto run = [](bool restarts) {
    World world;
    const auto step = [&] {
      world.flush();
      if (restarts) world.reopen();
    };
    world.tick("2026-01-15T00:00:00Z");
    open_many(world, 13 * kRows);
    for (std::size_t i = 0; i < 3 * kRows; ++i)
      world.metering(usage(std::to_string(i), "2026-01-10T00:00:00Z", "2026-01-10T01:00:00Z", Amount(1), "late"));
    step();
    world.tick(kEnd);
    step();
    world.open_project("late");
    step();
    for (std::size_t i = 0; i < 9; ++i) {
      world.metering(usage("u" + std::to_string(i), "2026-01-31T00:00:00Z", "2026-02-01T01:00:00Z", hours(2),
                           named(13 * kRows - 1 - 20 * i)));
      step();
      EXPECT_TRUE(i > 2 || world.machine().has_sweeps(world.context())) << i;
    }
    std::string text;
    for (const auto& one : world.out.sent) {
      Bytes bytes;
      std::visit(
          [&bytes](const auto& event) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(event)>, std::monostate>)
              events::encode_event(event, bytes);
          },
          one.event);
      text += to_hex(bytes) + '\n';
    }
    return std::pair(text, world.rows());
  };
  EXPECT_EQ(run(false), run(true));
}

}  // namespace
}  // namespace granary::allocation::test
