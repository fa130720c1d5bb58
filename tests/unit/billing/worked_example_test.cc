// One job with every number: aurora's hour over the end of October.
#include "tests/unit/billing/driver.h"

namespace granary::billing {
namespace {

constexpr std::string_view kClass = "gpu:h200";

events::ChargePart h200(events::ChargePart made, std::uint8_t grant, std::uint64_t lot) {
  made.class_name = kClass;
  made.grant.fill(grant);
  made.lot = lot;
  return made;
}

class WorkedExample : public testing::Test {
 protected:
  void SetUp() override {
    driver.apply(events::OrganisationRegistered{"aurora", "Aurora", events::CustomerKind::sme, "FI", "", {}});
    driver.apply(project("aurora-llm"));
    driver.apply(book("aif", "3", "2026-01-01T00:00:00Z", {priced(std::string(kClass), "2.50")}));
    driver.apply(book("aif", "4", "2026-11-01T00:00:00Z", {priced(std::string(kClass), "2.40")}));
    driver.apply(charged(
        {h200(part("2026-10-31T23:30:00Z", "2026-11-01T00:00:00Z", 3'600'000'000), 7, 1),
         h200(part("2026-11-01T00:00:00Z", "2026-11-01T00:30:00Z", 2'700'000'000), 7, 2),
         h200(part("2026-11-01T00:00:00Z", "2026-11-01T00:30:00Z", 900'000'000, PartFunding::uncovered_bill), 0, 0)},
        "81234/2026-10-31T23:30:00Z", "aurora-llm"));
  }
  Driver driver;
};

TEST_F(WorkedExample, EachPartIsALineAtThePriceOfItsServiceTime) {
  const struct {
    const char *period, *from, *amount, *book, *price, *list, *covered, *billed;
    PartFunding funding;
    std::uint64_t lot;
  } lines[] = {
      {"2026-10", "2026-10-31T23:30:00Z", "3600000000", "3", "2.5", "2.500000000", "2.500000000", "0.000000000",
       PartFunding::covered, 1},
      {"2026-11", "2026-11-01T00:00:00Z", "2700000000", "4", "2.4", "1.800000000", "1.800000000", "0.000000000",
       PartFunding::covered, 2},
      {"2026-11", "2026-11-01T00:00:00Z", "900000000", "4", "2.4", "0.600000000", "0.000000000", "0.600000000",
       PartFunding::uncovered_bill, 0},
  };
  ASSERT_EQ(driver.lines().size(), std::size(lines));
  for (std::size_t i = 0; i < std::size(lines); ++i) {
    const events::ChargeRated line = driver.line(i);
    const auto& want = lines[i];
    EXPECT_EQ(line.organisation, "aurora");
    EXPECT_EQ(line.project, "aurora-llm");
    EXPECT_EQ(line.resource, kClass);
    EXPECT_EQ(line.period, want.period);
    EXPECT_EQ(line.booked, want.period);
    EXPECT_EQ(units::format_time(line.from), want.from);
    EXPECT_EQ(count(line.amount), want.amount);
    EXPECT_EQ(line.funding, want.funding);
    EXPECT_EQ(line.lot, want.lot);
    EXPECT_EQ(line.grant == Id16{}, want.lot == 0);
    EXPECT_EQ(line.root, (events::Root{"slurm://aif1", "81234/2026-10-31T23:30:00Z"}));
    EXPECT_EQ(line.revision, 0U);
    EXPECT_EQ(line.corrects, "");
    EXPECT_EQ(line.seller, "aif");
    EXPECT_EQ(line.price_book, want.book);
    EXPECT_EQ(line.currency, "EUR");
    EXPECT_EQ(units::format_decimal(line.price.value(), 9), want.price);
    EXPECT_EQ(line.per, "resource-hour");
    EXPECT_EQ(money(line.list_amount), want.list);
    EXPECT_EQ(money(line.covered_amount), want.covered);
    EXPECT_EQ(money(line.billed_amount), want.billed);
  }
}

TEST_F(WorkedExample, LinesAreNumberedInTheShardsOwnPartition) {
  std::uint64_t number = 0;
  for (const auto& sent : driver.out.sent) {
    EXPECT_EQ(sent.topic, machine::Topic::billing);
    EXPECT_EQ(sent.partition, kShard);
    EXPECT_EQ(sent.number, ++number);
    EXPECT_EQ(std::get<events::ChargeRated>(sent.event).line,
              std::to_string(kShard) + "-" + std::to_string(sent.number));
  }
  EXPECT_EQ(number, 3U);
}

TEST_F(WorkedExample, MoneyMovesFromTheSellersAccountsAndSumsToZero) {
  const std::string grant = "07070707070707070707070707070707";
  EXPECT_EQ(driver.balance(MoneyAccount::in_kind_value, "aif"), "-4.300000000");
  EXPECT_EQ(driver.balance(MoneyAccount::in_kind, grant), "4.300000000");
  EXPECT_EQ(driver.balance(MoneyAccount::revenue, "aif"), "-0.600000000");
  EXPECT_EQ(driver.balance(MoneyAccount::receivable, "aurora"), "0.600000000");
  EXPECT_EQ(driver.accounts().size(), 4U);
}

TEST_F(WorkedExample, MonthlySums) {
  const auto rows = driver.charges();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].organisation, "aurora");
  EXPECT_EQ(rows[0].project, "aurora-llm");
  EXPECT_EQ(rows[0].resource, kClass);
  EXPECT_EQ(rows[0].period, "2026-10");
  EXPECT_EQ(rows[0].currency, "EUR");
  EXPECT_EQ(count(rows[0].sums.used), "3600000000");
  EXPECT_EQ(count(rows[0].sums.covered), "3600000000");
  EXPECT_EQ(count(rows[0].sums.billed), "0");
  EXPECT_EQ(money(rows[0].sums.list_amount), "2.500000000");
  EXPECT_EQ(rows[0].sums.lines, 1U);
  EXPECT_EQ(rows[1].period, "2026-11");
  EXPECT_EQ(count(rows[1].sums.used), "3600000000");
  EXPECT_EQ(count(rows[1].sums.covered), "2700000000");
  EXPECT_EQ(count(rows[1].sums.billed), "900000000");
  EXPECT_EQ(money(rows[1].sums.list_amount), "2.400000000");
  EXPECT_EQ(money(rows[1].sums.covered_amount), "1.800000000");
  EXPECT_EQ(money(rows[1].sums.billed_amount), "0.600000000");
  EXPECT_EQ(rows[1].sums.lines, 2U);
}

}  // namespace
}  // namespace granary::billing
