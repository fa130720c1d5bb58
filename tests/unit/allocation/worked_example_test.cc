// One job with every number: the example of the documentation, as far as allocation goes.
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

TEST(WorkedExample, has_each_of_its_numbers) {
  World world;
  world.tick("2026-09-01T00:00:00Z");
  world.intake(overdraft("2026-01-01T00:00:00Z", events::OverdraftMode::bill, "aif"));
  world.open_project("aurora-llm", "aurora", "develop");
  world.intake(grant(7,
                     {lot(1, hours(10), "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", 0, "gpu:h200"),
                      lot(2, Amount(2'700'000'000), "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", 0, "gpu:h200")},
                     "2026-09-01T00:00:00Z", "aurora-llm"));
  UsageMetered job = usage("81234/2026-10-31T23:30:00Z", "2026-10-31T23:30:00Z", "2026-11-01T00:30:00Z",
                           Amount(7'200'000'000), "aurora-llm");
  job.amounts = {{"gpu:h200", UnitKind::resource_us, Amount(7'200'000'000), Amount(7'200'000'000)},
                 {"cpu", UnitKind::resource_us, Amount(115'200'000'000), Amount()}};
  world.metering(job, 3);
  world.tick("2026-11-01T00:00:10Z");
  world.flush();

  const auto charged = world.out.all<events::UsageCharged>();
  ASSERT_EQ(charged.size(), 1u);
  EXPECT_EQ(lines(charged[0].parts),
            (Lines{"gpu:h200 2026-10-31T23:30:00Z 2026-11-01T00:00:00Z 3600000000 available>used 7/1 covered",
                   "gpu:h200 2026-11-01T00:00:00Z 2026-11-01T00:30:00Z 2700000000 available>used 7/2 covered",
                   "gpu:h200 2026-11-01T00:00:00Z 2026-11-01T00:30:00Z 900000000 outside>uncovered 0/0 "
                   "uncovered_bill"}));
  EXPECT_EQ(charged[0].parts[2].seller, "aif");
  EXPECT_EQ(charged[0].parts[2].purpose, "develop");
  EXPECT_EQ(charged[0].organisation, "aurora");
  EXPECT_EQ(charged[0].source, job.source);
  EXPECT_EQ(charged[0].id, job.id);
  EXPECT_EQ(charged[0].metering_shard, 3u);
  EXPECT_EQ(charged[0].metering_number, 1u);
  EXPECT_EQ(charged[0].slice, 1u);
  EXPECT_EQ(charged[0].slices, 1u);

  const ClassBalance balance = world.balance("aurora-llm", "gpu:h200");
  EXPECT_EQ(balance.granted, Amount(38'700'000'000));  // 10.75 hours
  EXPECT_EQ(balance.used, Amount(6'300'000'000));      // 1.75
  EXPECT_EQ(balance.expired, hours(9));
  EXPECT_EQ(balance.available, Amount());
  EXPECT_EQ(balance.uncovered, Amount(900'000'000));  // 0.25
  EXPECT_EQ(world.machine().balance("aurora-llm", {})->classes.size(), 1u) << "cpu is metered only";

  const auto totals = world.machine().usage({}, 10).rows;
  ASSERT_EQ(totals.size(), 2u);
  EXPECT_EQ(totals[0].class_name, "cpu");
  EXPECT_EQ(totals[0].quantity, Amount(115'200'000'000));
  EXPECT_EQ(totals[1].class_name, "gpu:h200");
  EXPECT_EQ(totals[1].quantity, Amount(7'200'000'000));
  for (const UsageTotal& total : totals) {
    EXPECT_EQ(total.project, "aurora-llm");
    EXPECT_EQ(total.records, 1u);
    EXPECT_FALSE(total.unassigned);
  }

  machine::Router router(World::kPartitions);
  for (const auto& sent : world.out.sent)
    EXPECT_EQ(sent.partition, sent.topic == Topic::ledger ? router.shard_of("aurora") : world.context().shard);
  EXPECT_EQ(world.out.all<events::LotAwardedNotice>().size(), 2u);
  EXPECT_EQ(world.out.all<events::ProjectOpened>().size(), 1u);
  ASSERT_EQ(world.out.all<events::LotExhausted>().size(), 1u);
  EXPECT_EQ(world.out.all<events::LotExhausted>()[0].lot, 2u);
  ASSERT_EQ(world.out.all<events::LotExpired>().size(), 1u);
  EXPECT_EQ(world.out.all<events::LotExpired>()[0].amount, hours(9));
}

}  // namespace
}  // namespace granary::allocation::test
