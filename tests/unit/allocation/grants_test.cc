// Awards, expiry, and usage that is reported after its lot's end.
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

Lines postings(const World& world) {
  Lines texts;
  for (const auto& posted : world.out.all<events::UnitsPosted>()) texts.push_back(line(posted));
  return texts;
}

TEST(Grants, are_awarded_and_expire_at_their_lots_end) {
  World world;
  world.tick("2026-01-05T00:00:00Z");
  world.open_project();
  world.intake(grant(1, {lot(1, Amount(10), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
                         lot(2, Amount(20), "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")}));
  world.tick("2026-01-31T23:59:59.999Z");
  EXPECT_EQ(world.balance().available, Amount(30));
  world.tick("2026-02-01T00:00:00Z");
  EXPECT_EQ(world.balance().available, Amount(20));
  EXPECT_EQ(world.balance().expired, Amount(10));
  world.tick("2026-02-02T00:00:00Z");
  world.tick("2027-01-01T00:00:00Z");
  EXPECT_EQ(postings(world), (Lines{"gpu 1/1 issued>available 10 awarded 2026-01-01T00:00:00Z",
                                    "gpu 1/2 issued>available 20 awarded 2026-01-01T00:00:00Z",
                                    "gpu 1/1 available>expired 10 expired 2026-02-01T00:00:00Z",
                                    "gpu 1/2 available>expired 20 expired 2026-03-01T00:00:00Z"}));
  const auto notices = world.out.all<events::LotExpired>();
  ASSERT_EQ(notices.size(), 2u);
  EXPECT_EQ(notices[0].lot, 1u);
  EXPECT_EQ(notices[0].amount, Amount(10));
  EXPECT_EQ(notices[0].organisation, "o");
  world.flush();
}

TEST(Grants, one_that_is_over_at_its_award_expires_at_once) {
  World world;
  world.tick("2026-03-01T00:00:00Z");
  world.open_project();
  world.intake(grant(1, {lot(1, Amount(10), "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")}, "2026-02-28T00:00:00Z"));
  world.intake(grant(2, {lot(1, Amount(10), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")}, "2026-02-28T00:00:00Z"));
  EXPECT_EQ(postings(world), (Lines{"gpu 1/1 issued>available 10 awarded 2026-02-28T00:00:00Z",
                                    "gpu 1/1 available>expired 10 expired 2026-03-01T00:00:00Z",
                                    "gpu 2/1 issued>available 10 awarded 2026-02-28T00:00:00Z",
                                    "gpu 2/1 available>expired 10 expired 2026-02-28T00:00:00Z"}));
  world.tick("2026-04-01T00:00:00Z");
  EXPECT_EQ(world.out.all<events::UnitsPosted>().size(), 4u);
}

TEST(Grants, a_used_up_lot_expires_without_a_word) {
  World world;
  world.open_project();
  world.intake(grant(1, {lot(1, Amount(10), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")}));
  world.metering(usage("a", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", Amount(10)));
  world.tick("2026-02-02T00:00:00Z");
  EXPECT_TRUE(world.out.all<events::LotExpired>().empty());
}

TEST(Grants, late_usage_takes_what_expired_and_then_is_uncovered) {
  World world;
  world.open_project();
  world.intake(grant(1, {lot(1, Amount(10), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
                         lot(2, Amount(5), "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")}));
  world.tick("2026-02-05T00:00:00Z");
  world.metering(usage("a", "2026-01-30T00:00:00Z", "2026-01-31T00:00:00Z", Amount(4)));
  EXPECT_EQ(lines(world.last_parts()),
            (Lines{"gpu 2026-01-30T00:00:00Z 2026-01-31T00:00:00Z 4 expired>used 1/1 covered"}));
  world.metering(usage("b", "2026-01-30T00:00:00Z", "2026-01-31T00:00:00Z", Amount(14)));
  EXPECT_EQ(lines(world.last_parts()),
            (Lines{"gpu 2026-01-30T00:00:00Z 2026-01-31T00:00:00Z 6 expired>used 1/1 covered",
                   "gpu 2026-01-30T00:00:00Z 2026-01-31T00:00:00Z 5 available>used 1/2 covered",
                   "gpu 2026-01-30T00:00:00Z 2026-01-31T00:00:00Z 3 outside>uncovered 0/0 uncovered_record"}));
  const ClassBalance balance = world.balance();
  EXPECT_EQ(balance.used, Amount(15));
  EXPECT_EQ(balance.expired, Amount());
  EXPECT_EQ(balance.uncovered, Amount(3));
  // Only lot 2 had something available that came to nothing.
  ASSERT_EQ(world.out.all<events::LotExhausted>().size(), 1u);
  EXPECT_EQ(world.out.all<events::LotExhausted>()[0].lot, 2u);
  world.flush();
}

TEST(Grants, of_a_machine_opened_anew_expire_too) {
  World world;
  world.open_project();
  world.intake(grant(1, {lot(1, Amount(10), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")}));
  world.flush();
  world.reopen();
  world.tick("2026-02-01T00:00:00Z");
  EXPECT_EQ(world.balance().expired, Amount(10));
}

TEST(GrantsDeathTest, broken_promises_of_intake_stop_the_machine) {
  const auto one = [] { return grant(1, {lot(1, Amount(10), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")}); };
  World world;
  EXPECT_DEATH(world.intake(one()), "a grant came before its project");
  world.open_project();
  EXPECT_DEATH(world.open_project(), "a project was opened twice");
  world.intake(one());
  EXPECT_DEATH(world.intake(one()), "a lot was awarded twice");
  EXPECT_DEATH(world.intake(events::AccountBound{}), "an event without a rule");
}

TEST(Raw, nothing_has_a_rule) {
  World world;
  EXPECT_FALSE(world.machine().has_rule(machine::Way::raw, events::UsageReported{}, events::kRulesNewest));
  EXPECT_FALSE(world.machine().has_rule(machine::Way::lane, events::AccountBound{}, events::kRulesNewest));
  EXPECT_TRUE(world.machine().has_rule(machine::Way::lane, events::UsageMetered{}, 1));
}

}  // namespace
}  // namespace granary::allocation::test
