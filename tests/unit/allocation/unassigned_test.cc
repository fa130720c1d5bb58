// Usage of projects that nobody knows yet.
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

AccountRow account(World& world, std::string_view project) {
  world.flush();
  Bytes key;
  account_key({project, "gpu", UnitKind::resource_us}, key);
  key.insert(key.begin(), static_cast<char>(Table::accounts));
  for (const auto& [row_key, value] : world.rows()) {
    AccountRow row;
    if (row_key == key && codec::decode(value, row)) return row;
  }
  ADD_FAILURE() << "no account of " << project;
  return {};
}

TEST(Unassigned, usage_waits_and_is_charged_in_order_when_the_project_opens) {
  World world;
  UsageMetered first = usage("a", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(6), "late");
  first.amounts.push_back({"cpu", UnitKind::resource_us, Amount(9), Amount()});
  first.job = events::Job{"slurm://c", "7"};
  first.reservation = events::Reservation{"late", "r"};
  world.metering(first, 0);
  world.metering(usage("b", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(7), "late"), 3);
  world.metering(usage("c", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(1), "never"));

  EXPECT_TRUE(world.out.sent.empty());
  EXPECT_FALSE(world.machine().balance("late", {}).has_value());
  EXPECT_EQ(world.machine().waiting_of("late"), 2u);
  EXPECT_EQ(world.counts().waiting, 3u);
  AccountRow row = account(world, "late");
  EXPECT_EQ(row.outside, Amount(-13));
  EXPECT_EQ(row.unassigned, Amount(13));
  for (const UsageTotal& total : world.machine().usage({}, 10).rows) EXPECT_TRUE(total.unassigned) << total.project;

  // The facts of the moment of release decide.
  world.intake(overdraft("2026-01-01T00:00:00Z", events::OverdraftMode::bill, "aif"));
  world.reopen();
  world.open_project("late");
  const auto charged = world.out.all<events::UsageCharged>();
  ASSERT_EQ(charged.size(), 2u);
  EXPECT_EQ(charged[0].id, "a");
  EXPECT_EQ(charged[0].metering_shard, 0u);
  EXPECT_EQ(charged[0].metering_number, 1u);
  EXPECT_EQ(charged[0].job, first.job);
  EXPECT_EQ(charged[0].reservation, first.reservation);
  EXPECT_EQ(lines(charged[0].parts),
            (Lines{"gpu 2026-01-10T00:00:00Z 2026-01-11T00:00:00Z 6 outside>uncovered 0/0 uncovered_record"}));
  EXPECT_EQ(charged[1].id, "b");
  EXPECT_EQ(charged[1].metering_shard, 3u);
  EXPECT_EQ(charged[1].metering_number, 2u);
  EXPECT_FALSE(charged[1].job || charged[1].reservation);
  row = account(world, "late");
  EXPECT_EQ(row.outside, Amount(-13));
  EXPECT_EQ(row.unassigned, Amount());
  EXPECT_EQ(row.uncovered, Amount(13));

  EXPECT_EQ(world.machine().waiting_of("late"), 0u);
  EXPECT_EQ(world.counts().waiting, 1u);
  std::map<std::string, UsageTotal> totals;
  for (const UsageTotal& total : world.machine().usage({}, 10).rows) totals[total.project + total.class_name] = total;
  EXPECT_EQ(totals["lategpu"].records, 2u);
  EXPECT_EQ(totals["lategpu"].quantity, Amount(13));
  EXPECT_EQ(totals["latecpu"].quantity, Amount(9));
  EXPECT_FALSE(totals["lategpu"].unassigned);
  EXPECT_TRUE(totals["nevergpu"].unassigned);
  // What was released left no row behind.
  for (const auto& [key, value] : world.rows()) {
    if (key.front() == static_cast<char>(Table::waiting_usage) || key.front() == static_cast<char>(Table::waiting)) {
      EXPECT_NE(key.find("never"), Bytes::npos);
    }
  }
}

TEST(Unassigned, pages_go_through_all_projects_and_totals) {
  World world;
  for (const char* name : {"a", "bb", "ccc", "dd", "e"}) {
    world.metering(usage("x", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(1), name));
    if (std::string_view(name) != "bb") world.open_project(name, "of-" + std::string(name));
    world.flush();
  }
  world.open_project("new");  // not flushed, without an account
  std::vector<std::string> projects;
  Bytes after;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = world.machine().projects(after, 2, {});
    EXPECT_LE(page.rows.size(), 2u);
    for (const ProjectBalance& one : page.rows) {
      projects.push_back(one.project);
      EXPECT_EQ(one.classes.size(), one.project == "new" ? 0u : 1u) << one.project;
      if (!one.classes.empty()) {
        EXPECT_EQ(one.classes[0].uncovered, Amount(1));
        EXPECT_EQ(one.facts.organisation, "of-" + one.project);
      }
    }
    if (!page.last) break;
    after = *page.last;
  }
  EXPECT_EQ(projects, (std::vector<std::string>{"a", "e", "dd", "ccc", "new"}));
  std::vector<std::string> totals;
  after.clear();
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = world.machine().usage(after, 2);
    EXPECT_LE(page.rows.size(), 2u);
    for (const UsageTotal& one : page.rows) totals.push_back(one.project + (one.unassigned ? "?" : ""));
    if (!page.last) break;
    after = *page.last;
  }
  EXPECT_EQ(totals, (std::vector<std::string>{"a", "e", "bb?", "dd", "ccc"}));
}

}  // namespace
}  // namespace granary::allocation::test
