// Which price holds, where a part is cut, and who pays.
#include "tests/unit/billing/driver.h"

namespace granary::billing {
namespace {

constexpr const char* kLongAgo = "2026-01-01T00:00:00Z";
constexpr const char* kFrom = "2026-03-10T10:00:00Z";
constexpr const char* kTo = "2026-03-10T11:00:00Z";

// "book list" of each line.
std::string rated(const Driver& driver) {
  std::string text;
  for (const events::ChargeRated& line : driver.lines())
    text += (text.empty() ? "" : ", ") + line.price_book + " " + money(line.list_amount);
  return text;
}

TEST(PriceEdges, InsideAPartKeepItsTotal) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1")}));
  driver.apply(book("aif", "b", "2026-03-10T10:20:00Z", {priced("gpu", "2")}));
  driver.apply(book("aif", "c", "2026-03-10T10:40:00Z", {priced("gpu", "3")}));
  driver.apply(charged({part(kFrom, kTo, 1'000'000'001)}));
  ASSERT_EQ(driver.lines().size(), 3U);
  EXPECT_EQ(count(driver.line(0).amount), "333333334");
  EXPECT_EQ(count(driver.line(1).amount), "333333333");
  EXPECT_EQ(count(driver.line(2).amount), "333333334");
  EXPECT_EQ(driver.line(0).to, at("2026-03-10T10:20:00Z"));
  EXPECT_EQ(driver.line(1).from, at("2026-03-10T10:20:00Z"));
  EXPECT_EQ(driver.line(2).price_book, "c");
  EXPECT_EQ(driver.line(2).to, at(kTo));
}

TEST(PriceEdges, OnesOfAnotherSellerDoNotCut) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1")}));
  driver.apply(book("other", "b", "2026-03-10T10:20:00Z", {priced("gpu", "9")}));
  driver.apply(charged({part(kFrom, kTo, kHour)}));
  EXPECT_EQ(rated(driver), "a 1.000000000");
}

TEST(PriceEdges, ABookHoldsFromItsEffectiveTimeOnNotBefore) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1")}));
  driver.apply(book("aif", "b", kFrom, {priced("gpu", "2")}));
  driver.apply(book("aif", "c", kTo, {priced("gpu", "3")}));
  driver.apply(charged({part(kFrom, kTo, kHour)}));
  EXPECT_EQ(rated(driver), "b 2.000000000");
}

TEST(PriceEdges, APartWithoutDurationIsNotCut) {
  Driver driver;
  driver.apply(project("llm"));
  events::PriceEntry entry{"licence", Price(nano("0.30")), "item", {}, {}};
  driver.apply(book("aif", "a", kFrom, {entry}));
  events::ChargePart items = part(kFrom, kFrom, 7, PartFunding::pay_per_use);
  items.class_name = "licence";
  items.unit = units::UnitKind::item;
  driver.apply(charged({items}));
  EXPECT_EQ(rated(driver), "a 2.100000000");
}

TEST(PriceEdges, MonthsCutToo) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1")}));
  driver.apply(charged({part("2026-03-31T00:00:00Z", "2026-05-02T00:00:00Z", 32 * kHour)}));
  ASSERT_EQ(driver.lines().size(), 3U);
  EXPECT_EQ(driver.line(0).period + " " + money(driver.line(0).list_amount), "2026-03 1.000000000");
  EXPECT_EQ(driver.line(1).period + " " + money(driver.line(1).list_amount), "2026-04 30.000000000");
  EXPECT_EQ(driver.line(2).period + " " + money(driver.line(2).list_amount), "2026-05 1.000000000");
}

TEST(PriceSelection, OfTwoOfOneEffectiveTimeTheLaterPublishedWins) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "second", kLongAgo, {priced("gpu", "2")}));
  driver.apply(book("aif", "first", kLongAgo, {priced("gpu", "1")}));
  driver.apply(charged({part(kFrom, kTo, kHour)}));
  EXPECT_EQ(rated(driver), "first 1.000000000");
}

TEST(PriceSelection, AnEarlierEffectiveOnePublishedLaterDoesNotWin) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "new", "2026-02-01T00:00:00Z", {priced("gpu", "2")}));
  driver.apply(book("aif", "old", kLongAgo, {priced("gpu", "1")}));
  driver.apply(charged({part(kFrom, kTo, kHour)}));
  EXPECT_EQ(rated(driver), "new 2.000000000");
}

TEST(PriceSelection, TheFirstEntryThatFitsCustomerAndPurposeHolds) {
  using events::CustomerKind;
  const std::vector<events::PriceEntry> entries = {
      priced("gpu", "1", {CustomerKind::research}),
      priced("gpu", "2", {CustomerKind::startup, CustomerKind::sme}, {"train"}), priced("gpu", "3", {}, {"infer"}),
      priced("gpu", "4")};
  const struct {
    CustomerKind kind;
    const char *project_purpose, *part_purpose, *list;
  } cases[] = {
      {CustomerKind::research, "", "", "1.000000000"},      {CustomerKind::research, "infer", "", "1.000000000"},
      {CustomerKind::startup, "train", "", "2.000000000"},  {CustomerKind::sme, "", "train", "2.000000000"},
      {CustomerKind::industry, "train", "", "4.000000000"}, {CustomerKind::sme, "train", "infer", "3.000000000"},
      {CustomerKind::sme, "", "", "4.000000000"},
  };
  for (const auto& c : cases) {
    Driver driver;
    driver.apply(project("llm", "aurora", c.kind, c.project_purpose));
    driver.apply(book("aif", "a", kLongAgo, entries));
    events::ChargePart one = part(kFrom, kTo, kHour);
    one.purpose = c.part_purpose;
    driver.apply(charged({one}));
    EXPECT_EQ(money(driver.line(0).list_amount), c.list)
        << codec::enum_name(c.kind) << "/" << c.project_purpose << "/" << c.part_purpose;
  }
}

TEST(PriceSelection, APriceOfAnotherUnitDoesNotFit) {
  Driver driver;
  driver.apply(project("llm"));
  events::PriceEntry wrong{"gpu", Price(nano("9")), "gib-hour", {}, {}};
  driver.apply(book("aif", "a", kLongAgo, {wrong, priced("gpu", "2")}));
  driver.apply(charged({part(kFrom, kTo, kHour)}));
  EXPECT_EQ(rated(driver), "a 2.000000000");
}

TEST(PriceSelection, EachPartAtThePricesOfItsSeller) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1")}));
  driver.apply(book("other", "b", kLongAgo, {priced("gpu", "5")}, "SEK"));
  events::ChargePart foreign = part(kFrom, kTo, kHour, PartFunding::pay_per_use);
  foreign.seller = "other";
  driver.apply(charged({part(kFrom, kTo, kHour, PartFunding::pay_per_use), foreign}));
  EXPECT_EQ(rated(driver), "a 1.000000000, b 5.000000000");
  EXPECT_EQ(driver.balance(MoneyAccount::revenue, "aif", "EUR"), "-1.000000000");
  EXPECT_EQ(driver.balance(MoneyAccount::revenue, "other", "SEK"), "-5.000000000");
  EXPECT_EQ(driver.balance(MoneyAccount::receivable, "aurora", "SEK"), "5.000000000");
  const auto rows = driver.charges();
  ASSERT_EQ(rows.size(), 2U);  // one per currency
  EXPECT_EQ(rows[0].currency, "EUR");
  EXPECT_EQ(rows[1].currency, "SEK");
}

TEST(PriceSelection, WithoutASellerTheLatestBookThatPricesTheClass) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1")}));
  driver.apply(book("other", "b", "2026-02-01T00:00:00Z", {priced("gpu", "2")}));
  driver.apply(book("third", "c", "2026-02-01T00:00:00Z", {priced("gpu", "3")}));
  driver.apply(book("fourth", "d", "2026-02-02T00:00:00Z", {priced("cpu", "9")}));
  events::ChargePart nobodys = part(kFrom, kTo, kHour, PartFunding::uncovered_record);
  nobodys.seller.clear();
  driver.apply(charged({nobodys}));
  EXPECT_EQ(rated(driver), "c 3.000000000");
  EXPECT_EQ(driver.line(0).seller, "third");
}

TEST(WhoPays, ByFunding) {
  const struct {
    PartFunding funding;
    const char *covered, *billed, *covered_units, *billed_units;
  } cases[] = {
      {PartFunding::covered, "2.000000000", "0.000000000", "3600000000", "0"},
      {PartFunding::share, "0.800000000", "1.200000000", "1440000000", "2160000000"},
      {PartFunding::pay_per_use, "0.000000000", "2.000000000", "0", "3600000000"},
      {PartFunding::uncovered_bill, "0.000000000", "2.000000000", "0", "3600000000"},
      {PartFunding::uncovered_record, "0.000000000", "0.000000000", "0", "0"},
  };
  for (const auto& c : cases) {
    Driver driver;
    driver.apply(project("llm"));
    driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "2")}));
    events::ChargePart one = part(kFrom, kTo, kHour, c.funding);
    if (c.funding == PartFunding::share) one.share = Price(nano("0.4"));
    driver.apply(charged({one}));
    const std::string_view name = codec::enum_name(c.funding);
    EXPECT_EQ(money(driver.line(0).list_amount), "2.000000000") << name;
    EXPECT_EQ(money(driver.line(0).covered_amount), c.covered) << name;
    EXPECT_EQ(money(driver.line(0).billed_amount), c.billed) << name;
    const auto rows = driver.charges();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(count(rows[0].sums.used), "3600000000") << name;
    EXPECT_EQ(count(rows[0].sums.covered), c.covered_units) << name;
    EXPECT_EQ(count(rows[0].sums.billed), c.billed_units) << name;
    driver.flush();
    const std::size_t accounts = c.funding == PartFunding::uncovered_record ? 0
                                 : c.funding == PartFunding::share          ? 4
                                                                            : 2;
    EXPECT_EQ(driver.accounts().size(), accounts) << name;
  }
}

TEST(WhoPays, SharesRoundHalfToEven) {
  const struct {
    long long list, covered, billed;  // 10^-9
  } cases[] = {{1, 0, 1}, {2, 1, 1}, {3, 2, 1}, {5, 2, 3}, {7, 4, 3}};
  for (const auto& c : cases) {
    events::ChargePart half = part(kFrom, kTo, 1, PartFunding::share);
    half.share = Price(nano("0.5"));
    const Shares shares = divide(half, Amount(c.list), Money(c.list));
    EXPECT_EQ(shares.covered_amount, Money(c.covered)) << c.list;
    EXPECT_EQ(shares.billed_amount, Money(c.billed)) << c.list;
    EXPECT_EQ(shares.covered, Amount(c.covered)) << c.list;
    EXPECT_EQ(shares.billed, Amount(c.billed)) << c.list;
  }
}

TEST(ListAmount, IsRoundedOnceHalfToEven) {
  const struct {
    long long amount;
    const char* list;
  } cases[] = {{1'800'000'000, "0.000000000"},  // half of 10^-9
               {1'800'000'001, "0.000000001"},
               {5'400'000'000, "0.000000002"},  // one and a half
               {9'000'000'000, "0.000000002"}};
  for (const auto& c : cases) {
    Driver driver;
    driver.apply(project("llm"));
    driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "0.000000001")}));
    driver.apply(charged({part(kFrom, kTo, c.amount)}));
    EXPECT_EQ(money(driver.line(0).list_amount), c.list) << c.amount;
  }
}

}  // namespace
}  // namespace granary::billing
