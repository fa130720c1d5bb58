// Holds of running jobs.
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

class Holds : public testing::Test {
 protected:
  void SetUp() override {
    world.tick("2026-01-05T00:00:00Z");
    world.open_project();
    world.intake(grant(1, {lot(1, Amount(10), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", 1),
                           lot(2, Amount(20), "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", 2)}));
    posted = world.out.all<events::UnitsPosted>().size();
  }
  // What was posted since the last call.
  Lines postings() {
    const auto all = world.out.all<events::UnitsPosted>();
    Lines texts;
    for (; posted < all.size(); ++posted) texts.push_back(line(all[posted]));
    return texts;
  }
  World world;
  std::size_t posted = 0;
};

TEST_F(Holds, follow_the_newest_figure) {
  world.metering(interim("j", "2026-01-11T00:00:00Z", Amount(4)));
  EXPECT_EQ(postings(), (Lines{"gpu 1/1 available>reserved 4 held 2026-01-11T00:00:00Z"}));
  world.metering(interim("j", "2026-01-12T00:00:00Z", Amount(13)));
  EXPECT_EQ(postings(), (Lines{"gpu 1/1 available>reserved 6 held 2026-01-12T00:00:00Z",
                               "gpu 1/2 available>reserved 3 held 2026-01-12T00:00:00Z"}));
  EXPECT_EQ(world.balance().reserved, Amount(13));
  EXPECT_EQ(world.balance().running, Amount(13));
  EXPECT_EQ(world.balance().available, Amount(17));
  // Older, and equal: nothing.
  world.metering(interim("j", "2026-01-11T23:00:00Z", Amount(30)));
  world.metering(interim("j", "2026-01-12T00:00:00Z", Amount(30)));
  EXPECT_TRUE(postings().empty());
  // Less: the newest part goes back first.
  world.metering(interim("j", "2026-01-13T00:00:00Z", Amount(8)));
  EXPECT_EQ(postings(), (Lines{"gpu 1/2 reserved>available 3 released 2026-01-13T00:00:00Z",
                               "gpu 1/1 reserved>available 2 released 2026-01-13T00:00:00Z"}));
  // A class that is not named any more is not held any more.
  events::UsageHeld other = interim("j", "2026-01-14T00:00:00Z", Amount(8));
  other.amounts[0].class_name = "cpu";
  world.metering(other);
  EXPECT_EQ(postings(), (Lines{"gpu 1/1 reserved>available 8 released 2026-01-14T00:00:00Z"}));
  world.flush();
}

TEST_F(Holds, take_no_more_than_there_is) {
  world.metering(interim("j", "2026-01-11T00:00:00Z", Amount(50)));
  EXPECT_EQ(world.balance().reserved, Amount(30));
  EXPECT_EQ(world.balance().available, Amount());
  EXPECT_EQ(world.balance().uncovered, Amount());
  // Another job finds nothing to hold; a final usage of its own finds nothing available and leaves the hold alone.
  world.metering(interim("k", "2026-01-11T00:00:00Z", Amount(5)));
  world.metering(usage("k", "2026-01-10T00:00:00Z", "2026-01-12T00:00:00Z", Amount(5)));
  EXPECT_EQ(world.balance().reserved, Amount(30));
  EXPECT_EQ(world.balance().uncovered, Amount(5));
  EXPECT_TRUE(world.out.all<events::LotExhausted>().empty()) << "a hold exhausts nothing";
  world.flush();
}

TEST_F(Holds, end_with_the_final_usage) {
  world.metering(interim("j", "2026-01-11T00:00:00Z", Amount(12)));
  postings();
  world.metering(usage("j", "2026-01-10T00:00:00Z", "2026-01-12T00:00:00Z", Amount(11)));
  EXPECT_EQ(postings(), (Lines{"gpu 1/1 reserved>available 10 released 2026-01-12T00:00:00Z",
                               "gpu 1/2 reserved>available 2 released 2026-01-12T00:00:00Z"}));
  EXPECT_EQ(lines(world.last_parts()),
            (Lines{"gpu 2026-01-10T00:00:00Z 2026-01-12T00:00:00Z 10 available>used 1/1 covered",
                   "gpu 2026-01-10T00:00:00Z 2026-01-12T00:00:00Z 1 available>used 1/2 covered"}));
  EXPECT_EQ(world.balance().reserved, Amount());
  EXPECT_EQ(world.balance().used, Amount(11));
  EXPECT_EQ(world.machine().balance("p", {})->facts.holds, 0u);
  world.flush();
}

TEST_F(Holds, outlive_their_lot_and_then_pay_for_their_job) {
  world.metering(interim("j", "2026-01-31T00:00:00Z", Amount(7)));
  world.tick("2026-02-01T00:00:00Z");
  EXPECT_EQ(world.balance().lots[0].reserved, Amount(7));
  EXPECT_EQ(world.balance().lots[0].expired, Amount(3));
  postings();
  world.metering(usage("j", "2026-01-30T00:00:00Z", "2026-01-31T12:00:00Z", Amount(6)));
  EXPECT_EQ(postings(), (Lines{"gpu 1/1 reserved>expired 7 released 2026-01-31T12:00:00Z"}));
  EXPECT_EQ(lines(world.last_parts()),
            (Lines{"gpu 2026-01-30T00:00:00Z 2026-01-31T12:00:00Z 6 expired>used 1/1 covered"}));
  EXPECT_EQ(world.balance().lots[0].expired, Amount(4));
  EXPECT_EQ(world.balance().lots[0].reserved, Amount());
  world.flush();
}

TEST_F(Holds, of_one_job_are_no_others) {
  world.metering(interim("j", "2026-01-11T00:00:00Z", Amount(4)));
  UsageMetered same_id = usage("j", "2026-01-10T00:00:00Z", "2026-01-12T00:00:00Z", Amount(1));
  same_id.source = "slurm://other";
  world.metering(same_id);
  EXPECT_EQ(world.balance().reserved, Amount(4));
  EXPECT_EQ(world.machine().balance("p", {})->facts.holds, 1u);
}

TEST_F(Holds, last_over_a_new_machine) {
  world.metering(interim("j", "2026-01-11T00:00:00Z", Amount(4)));
  world.flush();
  world.reopen();
  world.metering(interim("j", "2026-01-10T00:00:00Z", Amount(9)));
  EXPECT_EQ(world.balance().reserved, Amount(4));
  world.metering(usage("j", "2026-01-10T00:00:00Z", "2026-01-12T00:00:00Z", Amount(3)));
  EXPECT_EQ(world.balance().reserved, Amount());
  EXPECT_EQ(world.balance().used, Amount(3));
}

TEST_F(Holds, end_when_metering_settles_them) {
  world.metering(interim("j", "2026-01-11T00:00:00Z", Amount(12)));
  postings();
  const events::HoldSettled settled{"slurm://c", "j", "p", at("2026-01-12T00:00:00Z")};
  world.metering(settled);
  EXPECT_EQ(postings(), (Lines{"gpu 1/1 reserved>available 10 released 2026-01-12T00:00:00Z",
                               "gpu 1/2 reserved>available 2 released 2026-01-12T00:00:00Z"}));
  EXPECT_EQ(world.machine().balance("p", {})->facts.holds, 0u);
  // Again, of a job that holds nothing, and of a project that nobody knows: nothing.
  world.metering(settled);
  world.metering(events::HoldSettled{"slurm://c", "other", "p", settled.at});
  world.metering(events::HoldSettled{"slurm://c", "j", "nobody", settled.at});
  EXPECT_TRUE(postings().empty());
  world.flush();
}

TEST_F(Holds, of_silent_jobs_lapse_over_a_new_machine_too) {
  world.metering(interim("j", "2026-01-05T00:00:00Z", Amount(12)));
  world.metering(interim("k", "2026-01-05T00:00:00Z", Amount(5)));
  world.flush();
  world.reopen();
  world.tick("2026-01-06T00:00:00Z");
  world.metering(interim("k", "2026-01-06T00:00:00Z", Amount(6)));
  world.tick("2026-01-06T23:59:50Z");
  EXPECT_EQ(world.balance().reserved, Amount(18));
  postings();
  world.tick("2026-01-07T00:00:00Z");
  EXPECT_EQ(postings(), (Lines{"gpu 1/1 reserved>available 10 released 2026-01-07T00:00:00Z",
                               "gpu 1/2 reserved>available 2 released 2026-01-07T00:00:00Z"}));
  const auto lapsed = world.out.all<events::HoldLapsed>();
  ASSERT_EQ(lapsed.size(), 1u);
  EXPECT_EQ(lapsed[0].id, "j");
  EXPECT_EQ(lapsed[0].amount, Amount(12));
  EXPECT_EQ(lapsed[0].heard_at, at("2026-01-05T00:00:00Z"));
  world.flush();
  world.tick("2026-01-08T00:00:00Z");
  EXPECT_EQ(world.balance().reserved, Amount());
  world.flush();
}

// No tick has more work than its limit: the others lapse with the next ones, the silent ones first.
TEST_F(Holds, lapse_by_the_thousand) {
  for (int i = 0; i < 1500; ++i) world.metering(interim("j" + std::to_string(i), "2026-01-05T00:00:00Z", Amount(0)));
  EXPECT_EQ(world.machine().balance("p", {})->facts.holds, 1500u);
  world.tick("2026-01-08T00:00:00Z");
  EXPECT_EQ(world.machine().balance("p", {})->facts.holds, 500u);
  world.tick("2026-01-08T00:00:10Z");
  EXPECT_EQ(world.machine().balance("p", {})->facts.holds, 0u);
  world.flush();
}

TEST_F(Holds, of_unknown_projects_are_counted_and_nothing_else) {
  world.metering(interim("j", "2026-01-11T00:00:00Z", Amount(4), "nobody"));
  EXPECT_EQ(world.counts().interim_ignored, 1u);
  EXPECT_TRUE(postings().empty());
}

}  // namespace
}  // namespace granary::allocation::test
