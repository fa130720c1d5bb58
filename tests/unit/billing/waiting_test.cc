// What cannot be priced yet waits, visible, and is released in order.
#include "tests/unit/billing/driver.h"

namespace granary::billing {
namespace {

constexpr const char* kLongAgo = "2026-01-01T00:00:00Z";
constexpr const char* kFrom = "2026-03-10T10:00:00Z";
constexpr const char* kTo = "2026-03-10T11:00:00Z";

events::ChargePart of_class(std::string class_name, units::Int128 amount) {
  events::ChargePart made = part(kFrom, kTo, amount);
  made.class_name = std::move(class_name);
  return made;
}

std::string ids(const Driver& driver) {
  std::string text;
  for (const events::ChargeRated& line : driver.lines()) text += (text.empty() ? "" : " ") + line.root.id;
  return text;
}

TEST(Unrated, WaitsVisiblyAndIsReleasedInOrder) {
  Driver driver;
  driver.apply(project("llm"));
  for (const char* id : {"1", "2", "3"}) driver.apply(charged({part(kFrom, kTo, kHour)}, id));
  EXPECT_TRUE(driver.lines().empty());
  auto rows = driver.charges();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].currency, "");
  EXPECT_EQ(rows[0].period, "2026-03");
  EXPECT_EQ(count(rows[0].sums.unrated), count(Amount(3 * kHour)));
  EXPECT_EQ(count(rows[0].sums.used), "0");
  EXPECT_EQ(driver.unrated(), 3U);

  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "2")}));
  EXPECT_EQ(ids(driver), "1 2 3");
  rows = driver.charges();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].currency, "EUR");
  EXPECT_EQ(count(rows[0].sums.used), count(Amount(3 * kHour)));
  EXPECT_EQ(money(rows[0].sums.covered_amount), "6.000000000");
  EXPECT_EQ(driver.waiting(), "");
  EXPECT_EQ(driver.unrated(), 0U);
}

TEST(Unrated, WhatHasNoPriceStillStaysInOrder) {
  Driver driver;
  driver.apply(project("llm"));
  events::ChargePart others = part(kFrom, kTo, 2);
  others.seller = "other";
  driver.apply(charged({part(kFrom, kTo, 1)}, "1"));
  driver.apply(charged({others}, "2"));
  driver.apply(charged({of_class("cpu", 3)}, "3"));
  driver.apply(charged({part(kFrom, kTo, 4)}, "4"));
  others.amount = Amount(5);
  driver.apply(charged({others}, "5"));
  EXPECT_EQ(driver.waiting(), "aif/cpu:3 aif/gpu:1 aif/gpu:4 other/gpu:2 other/gpu:5");
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "2")}));
  EXPECT_EQ(ids(driver), "1 4");
  EXPECT_EQ(driver.waiting(), "aif/cpu:3 other/gpu:2 other/gpu:5");
  driver.apply(charged({others}, "6"));
  driver.apply(book("other", "b", kLongAgo, {priced("gpu", "2"), priced("cpu", "1")}));
  EXPECT_EQ(ids(driver), "1 4 2 5 6");
  EXPECT_EQ(driver.waiting(), "aif/cpu:3");
}

TEST(Unrated, ABookThatDropsAClassEndsItsPriceFromItsEffectiveTime) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1")}));
  driver.apply(book("aif", "b", "2026-03-10T10:45:00Z", {priced("cpu", "2")}));
  driver.apply(charged({part(kFrom, kTo, 4000)}));
  ASSERT_EQ(driver.lines().size(), 1U);
  EXPECT_EQ(count(driver.line(0).amount), "3000");
  EXPECT_EQ(driver.waiting(), "aif/gpu:1000");
}

TEST(Unrated, ABookThatHoldsForTheMiddleLeavesBothEnds) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "last", "2026-03-10T10:45:00Z", {priced("cpu", "2")}));
  driver.apply(charged({part(kFrom, kTo, 4000)}, "1"));
  driver.apply(charged({part(kFrom, kTo, 8000)}, "2"));
  EXPECT_EQ(driver.waiting(), "aif/gpu:4000 aif/gpu:8000");
  driver.apply(book("aif", "middle", "2026-03-10T10:15:00Z", {priced("gpu", "1")}));
  EXPECT_EQ(ids(driver), "1 2");
  EXPECT_EQ(count(driver.line(0).amount), "2000");
  EXPECT_EQ(count(driver.line(1).amount), "4000");
  EXPECT_EQ(driver.waiting(), "aif/gpu:1000 aif/gpu:2000 aif/gpu:1000 aif/gpu:2000");
  EXPECT_EQ(driver.unrated(), 4U);
  const auto rows = driver.charges();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(count(rows[0].sums.unrated), "6000");
  EXPECT_EQ(count(rows[1].sums.used), "6000");
}

TEST(Unrated, AListAmountBeyondTheBoundIsNotBooked) {
  Driver driver;
  driver.apply(project("llm"));
  events::PriceEntry dear{"gpu", Price(units::kAmountMax), "resource-us", {}, {}};
  driver.apply(book("aif", "a", kLongAgo, {dear}));
  driver.apply(charged({part(kFrom, kTo, 2)}));
  EXPECT_TRUE(driver.lines().empty());
  EXPECT_EQ(driver.waiting(), "aif/gpu:2");
}

TEST(Unrated, APriceDoesNotChangeLinesThatStand) {
  Driver driver;
  driver.apply(project("llm"));
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1")}));
  driver.apply(charged({part(kFrom, kTo, kHour)}));
  driver.apply(book("aif", "b", "2026-03-01T00:00:00Z", {priced("gpu", "2")}));
  ASSERT_EQ(driver.lines().size(), 1U);
  EXPECT_EQ(driver.line(0).price_book, "a");
}

TEST(UnknownProject, WaitsForItsCustomerKindThenIsRated) {
  Driver driver;
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1", {events::CustomerKind::startup}), priced("gpu", "3")}));
  driver.apply(charged({part(kFrom, kTo, kHour), of_class("cpu", 5)}, "1"));
  driver.apply(charged({part(kFrom, kTo, 2 * kHour)}, "2"));
  EXPECT_TRUE(driver.lines().empty());
  EXPECT_EQ(driver.unrated(), 3U);
  driver.apply(project("other", "aurora", events::CustomerKind::industry));
  EXPECT_TRUE(driver.lines().empty());
  driver.apply(project("llm", "aurora", events::CustomerKind::startup));
  ASSERT_EQ(driver.lines().size(), 2U);
  EXPECT_EQ(money(driver.line(0).list_amount), "1.000000000");
  EXPECT_EQ(money(driver.line(1).list_amount), "2.000000000");
  EXPECT_EQ(driver.waiting(), "aif/cpu:5");
}

// A line names what it came from, however long its part waited: for its project, for its price.
TEST(UnknownProject, ALineNamesJobAndReservationWhateverItWaitedFor) {
  Driver driver(Driver::Flush::after_each_event);
  events::UsageCharged usage = charged({part(kFrom, kTo, kHour)}, "7/1");
  usage.job = events::Job{"slurm://aif1", "7"};
  usage.reservation = events::Reservation{"llm", "r1"};
  driver.apply(usage);
  driver.apply(project("llm"));
  driver.apply(charged({part(kFrom, kTo, kHour)}, "8"));
  driver.open();
  EXPECT_TRUE(driver.lines().empty());
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "1")}));
  ASSERT_EQ(driver.lines().size(), 2U);
  EXPECT_EQ(driver.line(0).root, (events::Root{"slurm://aif1", "7/1"}));
  EXPECT_EQ(driver.line(0).job, usage.job);
  EXPECT_EQ(driver.line(0).reservation, usage.reservation);
  EXPECT_EQ(driver.line(1).root.id, "8");
  EXPECT_FALSE(driver.line(1).job || driver.line(1).reservation);
}

TEST(UnknownProject, IsShownInTheMonthsOfItsUse) {
  Driver driver;
  driver.apply(charged({part("2026-03-31T23:00:00Z", "2026-04-01T01:00:00Z", 10)}));
  const auto rows = driver.charges();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].period + " " + count(rows[0].sums.unrated), "2026-03 5");
  EXPECT_EQ(rows[1].period + " " + count(rows[1].sums.unrated), "2026-04 5");
}

}  // namespace
}  // namespace granary::billing
