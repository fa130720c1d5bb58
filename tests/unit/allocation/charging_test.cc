// How a usage is cut, and which lots it takes in which order.
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

TEST(Cutting, at_months_and_lots_edges) {
  struct Case {
    std::string from, to;
    std::vector<std::pair<std::string, std::string>> lots;
    Lines edges;  // between the ends
  };
  const std::vector<Case> cases{
      {"2026-10-10T00:00:00Z", "2026-10-11T00:00:00Z", {}, {}},
      // A month's edge counts where it lies inside, not where it is an end.
      {"2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", {}, {}},
      {"2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00.001Z", {}, {"2026-11-01T00:00:00Z"}},
      {"2026-01-31T12:00:00Z",
       "2026-04-01T00:00:01Z",
       {},
       {"2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"}},
      {"2027-12-31T00:00:00Z",
       "2028-03-02T00:00:00Z",
       {},
       {"2028-01-01T00:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"}},
      // A lot inside; one whose edges are the usage's; one that lies elsewhere.
      {"2026-10-10T00:00:00Z",
       "2026-10-20T00:00:00Z",
       {{"2026-10-12T00:00:00Z", "2026-10-13T00:00:00Z"},
        {"2026-10-10T00:00:00Z", "2026-10-20T00:00:00Z"},
        {"2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"}},
       {"2026-10-12T00:00:00Z", "2026-10-13T00:00:00Z"}},
      // An edge of both kinds, and of two lots, is one edge.
      {"2026-10-30T00:00:00Z",
       "2026-11-03T00:00:00Z",
       {{"2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"}, {"2026-11-02T00:00:00Z", "2026-12-01T00:00:00Z"}},
       {"2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"}},
      {"2026-10-10T00:00:00Z", "2026-10-10T00:00:00Z", {{"2026-10-10T00:00:00Z", "2026-10-11T00:00:00Z"}}, {}},
  };
  for (const Case& one : cases) {
    std::vector<Lot> lots;
    for (const auto& [from, to] : one.lots) {
      lots.emplace_back().from = at(from);
      lots.back().to = at(to);
    }
    std::vector<Instant> wanted{at(one.from)};
    for (const std::string& edge : one.edges) wanted.push_back(at(edge));
    wanted.push_back(at(one.to));
    std::vector<Instant> edges;
    cut_at_edges({at(one.from), at(one.to)}, lots, edges);
    EXPECT_EQ(edges, wanted) << one.from << " to " << one.to;
  }
}

TEST(Charging, pieces_keep_the_total_whatever_the_rounding) {
  World world;
  world.open_project();
  // 1 unit over three months, 7 over two: no piece gets a whole share.
  world.metering(usage("a", "2026-01-15T00:00:00Z", "2026-03-15T00:00:00Z", Amount(1)));
  EXPECT_EQ(lines(world.last_parts()),
            (Lines{"gpu 2026-02-01T00:00:00Z 2026-03-01T00:00:00Z 1 outside>uncovered 0/0 uncovered_record"}));
  world.metering(usage("b", "2026-01-31T23:00:00Z", "2026-02-01T01:00:00Z", Amount(7)));
  EXPECT_EQ(lines(world.last_parts()),
            (Lines{"gpu 2026-01-31T23:00:00Z 2026-02-01T00:00:00Z 4 outside>uncovered 0/0 uncovered_record",
                   "gpu 2026-02-01T00:00:00Z 2026-02-01T01:00:00Z 3 outside>uncovered 0/0 uncovered_record"}));
  EXPECT_EQ(world.balance().uncovered, Amount(8));
}

// Of three lots that a usage may burn, which goes first.
struct Burning {
  std::vector<events::LotOpened> lots;
  std::vector<std::string> awarded;  // of each lot's own grant
  std::vector<std::uint8_t> order;   // grants
};

std::vector<std::uint8_t> burned(const Burning& burning, const std::vector<events::PolicyPublished>& policies) {
  World world;
  world.open_project();
  for (const auto& policy : policies) world.intake(policy);
  for (std::size_t i = 0; i < burning.lots.size(); ++i)
    world.intake(grant(static_cast<std::uint8_t>(i + 1), {burning.lots[i]}, burning.awarded[i]));
  world.metering(usage("a", "2026-06-01T00:00:00Z", "2026-06-01T01:00:00Z", hours(100)));
  std::vector<std::uint8_t> grants;
  for (const auto& part : world.last_parts())
    if (part.to_account == Account::used) grants.push_back(part.grant.back());
  return grants;
}

TEST(BurnOrder, by_default_priority_then_expiry_then_award_then_grant) {
  const auto one = [](std::string_view to, std::uint64_t priority) {
    return lot(1, hours(1), "2026-01-01T00:00:00Z", to, priority);
  };
  const std::string early = "2026-01-01T00:00:00Z";
  const std::string late = "2026-02-01T00:00:00Z";
  using Grants = std::vector<std::uint8_t>;
  EXPECT_EQ(burned({{one("2026-07-01T00:00:00Z", 2), one("2026-09-01T00:00:00Z", 1)}, {early, late}, {}}, {}),
            (Grants{2, 1}));
  EXPECT_EQ(burned({{one("2026-09-01T00:00:00Z", 1), one("2026-07-01T00:00:00Z", 1)}, {early, late}, {}}, {}),
            (Grants{2, 1}));
  EXPECT_EQ(burned({{one("2026-09-01T00:00:00Z", 1), one("2026-09-01T00:00:00Z", 1)}, {late, early}, {}}, {}),
            (Grants{2, 1}));
  EXPECT_EQ(burned({{one("2026-09-01T00:00:00Z", 1), one("2026-09-01T00:00:00Z", 1)}, {early, early}, {}}, {}),
            (Grants{1, 2}));
}

TEST(BurnOrder, is_that_of_the_policy_in_force_at_the_start) {
  const auto one = [](std::string_view to, std::uint64_t priority) {
    return lot(1, hours(1), "2026-01-01T00:00:00Z", to, priority);
  };
  const Burning lots{{one("2026-09-01T00:00:00Z", 1), one("2026-07-01T00:00:00Z", 2)},
                     {"2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"},
                     {}};
  using Grants = std::vector<std::uint8_t>;
  using Rules = std::vector<events::BurnRule>;
  const auto expiry = burn_order("2026-01-01T00:00:00Z", Rules{events::BurnRule::earliest_expiry});
  const auto future = burn_order("2026-06-01T00:00:00.001Z", Rules{events::BurnRule::earliest_expiry});
  const auto priority = burn_order("2026-05-01T00:00:00Z", Rules{events::BurnRule::priority});
  const auto priority_before = burn_order("2025-05-01T00:00:00Z", Rules{events::BurnRule::priority});
  EXPECT_EQ(burned(lots, {}), (Grants{1, 2}));
  EXPECT_EQ(burned(lots, {expiry}), (Grants{2, 1}));
  EXPECT_EQ(burned(lots, {future}), (Grants{1, 2})) << "not yet effective at the start";
  EXPECT_EQ(burned(lots, {expiry, priority}), (Grants{1, 2}));
  EXPECT_EQ(burned(lots, {priority, expiry}), (Grants{1, 2})) << "the later effective one holds, whenever published";
  EXPECT_EQ(burned(lots, {expiry, priority_before}), (Grants{2, 1})) << "an earlier effective one changes nothing";
  EXPECT_EQ(burned(lots, {expiry, burn_order("2026-01-01T00:00:00Z", Rules{events::BurnRule::priority})}),
            (Grants{1, 2}))
      << "of two effective at one instant the later published holds";
  EXPECT_EQ(burned(lots, {burn_order("2026-01-01T00:00:00Z", Rules{events::BurnRule::earliest_award})}),
            (Grants{2, 1}));
}

TEST(Charging, takes_only_lots_whose_period_holds_the_piece) {
  World world;
  world.open_project();
  world.intake(grant(1, {lot(1, hours(10), "2026-06-10T00:00:00Z", "2026-06-20T00:00:00Z")}));
  world.metering(usage("a", "2026-06-09T23:00:00Z", "2026-06-10T01:00:00Z", hours(2)));
  EXPECT_EQ(lines(world.last_parts()),
            (Lines{"gpu 2026-06-09T23:00:00Z 2026-06-10T00:00:00Z 3600000000 outside>uncovered 0/0 uncovered_record",
                   "gpu 2026-06-10T00:00:00Z 2026-06-10T01:00:00Z 3600000000 available>used 1/1 covered"}));
  world.metering(usage("b", "2026-06-19T23:00:00Z", "2026-06-20T01:00:00Z", hours(2)));
  EXPECT_EQ(lines(world.last_parts()),
            (Lines{"gpu 2026-06-19T23:00:00Z 2026-06-20T00:00:00Z 3600000000 available>used 1/1 covered",
                   "gpu 2026-06-20T00:00:00Z 2026-06-20T01:00:00Z 3600000000 outside>uncovered 0/0 "
                   "uncovered_record"}));
}

TEST(Charging, does_not_mix_classes_or_units) {
  World world;
  world.open_project();
  auto cpu = lot(1, hours(10), "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", 0, "cpu");
  auto items = lot(2, Amount(5), "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
  items.unit = UnitKind::item;
  world.intake(grant(1, {cpu, items}));
  world.metering(usage("a", "2026-06-09T23:00:00Z", "2026-06-10T01:00:00Z", Amount(3)));
  EXPECT_EQ(lines(world.last_parts()),
            (Lines{"gpu 2026-06-09T23:00:00Z 2026-06-10T01:00:00Z 3 outside>uncovered 0/0 uncovered_record"}));
  world.flush();
}

TEST(Charging, passes_on_the_lots_funding) {
  World world;
  world.open_project();
  auto shared = grant(1, {lot(1, hours(1), "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", 1)});
  shared.funding = {events::FundingKind::share, units::Price(400'000'000)};
  auto paid = grant(2, {lot(1, hours(1), "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", 2)});
  paid.funding.kind = events::FundingKind::pay_per_use;
  paid.seller = "other";
  paid.purpose = "";
  world.intake(shared);
  world.intake(paid);
  UsageMetered job = usage("a", "2026-06-09T23:00:00Z", "2026-06-10T01:00:00Z", hours(2));
  job.advance_reservation = "maintenance";
  job.job = events::Job{"slurm://c", "a"};
  job.reservation = events::Reservation{"p", "r1"};
  world.metering(job);
  const auto parts = world.last_parts();
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].funding, events::PartFunding::share);
  EXPECT_EQ(parts[0].share, units::Price(400'000'000));
  EXPECT_EQ(parts[0].seller, "aif");
  EXPECT_EQ(parts[0].purpose, "research");
  EXPECT_EQ(parts[1].funding, events::PartFunding::pay_per_use);
  EXPECT_EQ(parts[1].share, units::Price());
  EXPECT_EQ(parts[1].seller, "other");
  EXPECT_EQ(parts[1].purpose, "");
  EXPECT_EQ(world.out.all<events::UsageCharged>()[0].job, job.job);
  EXPECT_EQ(world.out.all<events::UsageCharged>()[0].reservation, job.reservation);
}

TEST(Charging, metered_only_and_empty_intervals_are_counted_and_not_charged) {
  World world;
  world.open_project();
  UsageMetered metered = usage("a", "2026-06-09T23:00:00Z", "2026-06-10T01:00:00Z", Amount());
  metered.amounts[0].raw = Amount(42);
  world.metering(metered);
  world.metering(usage("b", "2026-06-09T23:00:00Z", "2026-06-09T23:00:00Z", Amount()));
  EXPECT_TRUE(world.out.all<events::UsageCharged>().empty());
  EXPECT_TRUE(world.machine().balance("p", {})->classes.empty());
  const auto totals = world.machine().usage({}, 10).rows;
  ASSERT_EQ(totals.size(), 1u);
  EXPECT_EQ(totals[0].records, 2u);
  EXPECT_EQ(totals[0].quantity, Amount(42));
}

TEST(Charging, items_at_an_instant_take_the_lot_that_holds_it) {
  World world;
  world.open_project();
  world.intake(grant(1, {lot(1, Amount(2), "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z")}));
  world.metering(usage("a", "2026-06-01T00:00:00Z", "2026-06-01T00:00:00Z", Amount(1)));
  world.metering(usage("b", "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z", Amount(1)));
  EXPECT_EQ(world.balance().used, Amount(1));
  EXPECT_EQ(world.balance().uncovered, Amount(1));
}

TEST(Charging, more_parts_than_a_record_holds_are_cut_into_slices) {
  World world;
  world.open_project();
  // 300 lots of a day each, one usage over them all, and its months.
  std::vector<events::LotOpened> lots;
  const Instant first = at("2026-01-01T00:00:00Z");
  for (std::uint64_t day = 0; day < 300; ++day) {
    events::LotOpened one = lot(day + 1, Amount(units::kDayMs), "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    one.from = first.plus_ms(static_cast<std::int64_t>(day) * units::kDayMs);
    one.to = one.from.plus_ms(units::kDayMs);
    lots.push_back(one);
  }
  world.intake(grant(1, lots));
  UsageMetered job = usage("a", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", Amount(300 * units::kDayMs));
  job.end = first.plus_ms(300 * units::kDayMs);
  world.metering(job);
  const auto charged = world.out.all<events::UsageCharged>();
  ASSERT_EQ(charged.size(), 3u);
  std::uint64_t next_lot = 1;
  for (std::size_t i = 0; i < charged.size(); ++i) {
    EXPECT_EQ(charged[i].slice, i + 1);
    EXPECT_EQ(charged[i].slices, 3u);
    EXPECT_EQ(charged[i].id, "a");
    EXPECT_EQ(charged[i].parts.size(), i < 2 ? 128u : 44u);
    for (const auto& part : charged[i].parts) EXPECT_EQ(part.lot, next_lot++);
  }
  EXPECT_EQ(world.balance().available, Amount());
  EXPECT_EQ(world.out.all<events::LotExhausted>().size(), 300u);
}

TEST(Slices, end_before_names_fill_a_record) {
  std::vector<events::ChargePart> parts(130);
  for (auto& part : parts) {
    part.class_name = std::string(256, 'c');
    part.seller = std::string(256, 's');
    part.purpose = std::string(256, 'p');
  }
  std::vector<std::size_t> ends;
  slice_ends(parts, ends);
  EXPECT_EQ(ends, (std::vector<std::size_t>{53, 106, 130}));
  parts.resize(128);
  for (auto& part : parts) part = {};
  slice_ends(parts, ends);
  EXPECT_EQ(ends, (std::vector<std::size_t>{128}));
}

}  // namespace
}  // namespace granary::allocation::test
