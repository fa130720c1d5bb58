// Laws of the fold: nothing depends on when it is flushed or opened again; books balance; what is no input is told.
#include <random>

#include "tests/unit/billing/driver.h"

namespace granary::billing {
namespace {

constexpr std::uint64_t kSeed = 20261031;

// A random history of price books, projects and charges. Usage may come before what it needs.
std::vector<events::Event> history(std::uint64_t seed, std::size_t length) {
  std::mt19937_64 random(seed);
  const auto below = [&random](std::uint64_t bound) { return random() % bound; };
  const Instant start = at("2026-02-20T00:00:00Z");
  const std::vector<std::string> classes = {"gpu", "cpu", "tape"};
  const std::vector<std::string> sellers = {"aif", "other"};
  std::vector<events::Event> all;
  for (std::size_t i = 0; i < length; ++i) {
    const std::string number = std::to_string(i);
    const std::uint64_t dice = below(100);
    if (dice < 3) {
      std::vector<events::PriceEntry> entries;
      for (const std::string& one : classes) {
        if (below(3) == 0) continue;
        if (below(2) == 0) entries.push_back(priced(one, "0.7", {events::CustomerKind::startup}));
        if (below(4) != 0) entries.push_back(priced(one, "1.333333333"));
      }
      events::PriceBookPublished made =
          book(sellers[below(2)], "v" + number, "2026-01-01T00:00:00Z", entries, below(4) == 0 ? "SEK" : "EUR");
      made.effective = start.plus_ms(static_cast<std::int64_t>(below(400)) * units::kHourMs);
      all.emplace_back(made);
    } else if (dice < 6) {
      all.emplace_back(project("p" + std::to_string(below(6)), "aurora",
                               below(2) == 0 ? events::CustomerKind::startup : events::CustomerKind::industry));
    } else {
      std::vector<events::ChargePart> parts;
      for (std::uint64_t n = 1 + below(3); n > 0; --n) {
        events::ChargePart one = part("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 1 + below(90'000'000'000));
        one.from = start.plus_ms(static_cast<std::int64_t>(below(400 * units::kHourMs)));
        one.to = one.from.plus_ms(static_cast<std::int64_t>(below(100 * units::kHourMs)));
        one.class_name = classes[below(3)];
        one.seller = sellers[below(2)];
        one.funding = static_cast<PartFunding>(1 + below(5));
        if (one.funding == PartFunding::share) one.share = Price(static_cast<units::Int128>(below(1'000'000'001)));
        if (one.funding == PartFunding::uncovered_record && below(2) == 0) one.seller.clear();
        one.grant.fill(static_cast<std::uint8_t>(below(3)));
        parts.push_back(one);
      }
      all.emplace_back(charged(parts, number, "p" + std::to_string(below(6))));
    }
  }
  return all;
}

void expect_same_lines(const Driver& left, const Driver& right) {
  const auto bytes = [](const Driver& driver) {
    Bytes all;
    for (const auto& sent : driver.out.sent) events::encode_event(sent.event, all);
    return all;
  };
  EXPECT_GT(left.out.sent.size(), 100U);
  EXPECT_EQ(bytes(left), bytes(right));
}

TEST(Fold, TheMomentOfTheFlushChangesNothing) {
  Driver each(Driver::Flush::after_each_event);
  Driver once;
  for (const events::Event& event : history(kSeed, 600)) {
    each.apply(event);
    once.apply(event);
  }
  once.flush();
  expect_same_lines(each, once);
  EXPECT_EQ(each.store_rows(), once.store_rows());
  EXPECT_FALSE(once.store_rows().empty());
}

TEST(Fold, OpenedAgainInTheMiddleItGoesOnAsBefore) {
  Driver through;
  Driver reopened;
  std::size_t folded = 0;
  for (const events::Event& event : history(kSeed + 1, 600)) {
    through.apply(event);
    reopened.apply(event);
    if (++folded % 97 == 0) {
      reopened.flush();
      reopened.open();
    }
  }
  through.flush();
  reopened.flush();
  expect_same_lines(through, reopened);
  EXPECT_EQ(through.store_rows(), reopened.store_rows());
}

TEST(Fold, QueriesSeeWhatIsNotFlushedYet) {
  Driver each(Driver::Flush::after_each_event);
  Driver once;
  for (const events::Event& event : history(kSeed + 2, 300)) {
    each.apply(event);
    once.apply(event);
  }
  const auto text = [](const Driver& driver) {
    std::string all;
    for (const ChargesLine& row : driver.charges())
      all += "\n" + row.project + " " + row.resource + " " + row.period + " " + row.currency + " " +
             count(row.sums.used) + " " + count(row.sums.unrated) + " " + money(row.sums.list_amount);
    for (const AccountLine& row : driver.accounts()) all += "\n" + row.owner + " " + money(row.balance);
    return all;
  };
  EXPECT_EQ(text(each), text(once));
}

// Repeat one with --gtest_filter='*Balance*'; the seed is in the message.
TEST(Books, BalanceWhateverComes) {
  for (std::uint64_t seed = kSeed; seed < kSeed + 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Driver driver;
    Amount sent;
    for (const events::Event& event : history(seed, 200)) {
      if (const auto* charge = std::get_if<events::UsageCharged>(&event))
        for (const events::ChargePart& one : charge->parts) sent += one.amount;
      driver.apply(event);
      if (driver.lines().size() % 7 == 0) driver.flush();
    }
    driver.flush();  // checks the money accounts

    Amount used;
    std::map<std::string, Money> listed, recorded, borne;
    for (const events::ChargeRated& line : driver.lines()) {
      used += line.amount;
      listed[line.currency] += line.list_amount;
      borne[line.currency] += line.covered_amount + line.billed_amount;
      if (line.funding == PartFunding::uncovered_record) recorded[line.currency] += line.list_amount;
    }
    for (const auto& [currency, list] : listed) EXPECT_EQ(list, borne[currency] + recorded[currency]) << currency;

    Amount rows_used, rows_unrated;
    std::map<std::string, Money> rows_list;
    std::uint64_t lines = 0;
    for (const ChargesLine& row : driver.charges()) {
      rows_used += row.sums.used;
      rows_unrated += row.sums.unrated;
      lines += row.sums.lines;
      EXPECT_GE(row.sums.used, row.sums.covered + row.sums.billed);
      EXPECT_EQ(row.currency.empty(), !row.sums.unrated.is_zero());
      if (!row.currency.empty()) rows_list[row.currency] += row.sums.list_amount;
    }
    EXPECT_EQ(rows_used, used);
    EXPECT_EQ(rows_used + rows_unrated, sent);
    EXPECT_EQ(rows_list, listed);
    EXPECT_EQ(lines, driver.lines().size());

    std::map<std::string, Money> balances, held;
    for (const AccountLine& account : driver.accounts()) {
      balances[account.currency] += account.balance;
      if (account.kind == MoneyAccount::in_kind || account.kind == MoneyAccount::receivable)
        held[account.currency] += account.balance;
    }
    for (const auto& [currency, sum] : balances) EXPECT_TRUE(sum.is_zero()) << currency;
    for (const auto& [currency, sum] : borne) EXPECT_EQ(held[currency], sum) << currency;
  }
}

TEST(Inputs, WhatIsKeptOfTheOthers) {
  Driver driver;
  driver.apply(events::OrganisationRegistered{"aurora", "Aurora Oy", events::CustomerKind::sme, "FI", "north", {}});
  driver.apply(events::SourceCompleted{"slurm://aif1", at("2026-03-01T00:00:00Z"), 42});
  events::UnitsPosted posted;
  posted.organisation = "aurora";
  posted.from_account = events::Account::available;
  posted.to_account = events::Account::expired;
  posted.amount = Amount(5);
  driver.apply(posted);
  std::vector<std::string> kept;
  driver.each_row<OrganisationRow>(Table::organisations, [&](BytesView key, const OrganisationRow& row) {
    kept.push_back(Bytes(key) + " " + row.name);
  });
  driver.each_row<SourceRow>(Table::sources,
                             [&](BytesView, const SourceRow& row) { kept.push_back(std::to_string(row.records)); });
  driver.each_row<TotalsRow>(Table::totals,
                             [&](BytesView, const TotalsRow& row) { kept.push_back(std::to_string(row.postings)); });
  EXPECT_EQ(kept, (std::vector<std::string>{"aurora Aurora Oy", "42", "1"}));
  EXPECT_TRUE(driver.out.sent.empty());
  EXPECT_TRUE(driver.accounts().empty());
}

TEST(Raw, NothingHasARule) {
  Driver driver;
  EXPECT_FALSE(driver.machine().has_rule(machine::Way::raw, events::UsageReported{}, events::kRulesNewest));
  EXPECT_FALSE(driver.machine().has_rule(machine::Way::lane, events::UsageMetered{}, events::kRulesNewest));
  EXPECT_TRUE(driver.machine().has_rule(machine::Way::lane, events::UsageCharged{}, 1));
}

using LawsDeathTest = testing::Test;

TEST(LawsDeathTest, APartMovesSomethingBetweenTwoAccounts) {
  Driver driver;
  driver.apply(project("llm"));
  events::ChargePart none = part("2026-03-10T10:00:00Z", "2026-03-10T11:00:00Z", 0);
  EXPECT_DEATH(driver.apply(charged({none})), "is not above 0");
  events::ChargePart nowhere = part("2026-03-10T10:00:00Z", "2026-03-10T11:00:00Z", 1);
  nowhere.to_account = nowhere.from_account;
  EXPECT_DEATH(driver.apply(charged({nowhere})), "two accounts");
  events::UnitsPosted posted;
  posted.from_account = posted.to_account = events::Account::used;
  posted.amount = Amount(1);
  EXPECT_DEATH(driver.apply(posted), "to itself");
  EXPECT_DEATH(driver.apply(events::UsageMetered{}), "an event without a rule");
}

}  // namespace
}  // namespace granary::billing
