// What a price book or a project makes of much that waits is done a few rows at a time.
#include "tests/unit/billing/driver.h"

namespace granary::billing {
namespace {

constexpr const char* kLongAgo = "2026-01-01T00:00:00Z";
constexpr const char* kFrom = "2026-03-10T10:00:00Z";
constexpr const char* kTo = "2026-03-10T11:00:00Z";
constexpr std::size_t kRows = machine::kSweepRows;

class Sweeping : public ::testing::Test {
 protected:
  void wait(std::size_t count, const std::string& of = "llm") {
    for (std::size_t i = 0; i < count; ++i) driver.apply(charged({part(kFrom, kTo, kHour)}, std::to_string(i), of));
  }
  // An event of nobody's here: what is done before it is the sweep's.
  void pass() { driver.apply(events::SourceCompleted{"slurm://x", at(kTo), 1}); }
  Driver driver;
};

TEST_F(Sweeping, APriceBookPricesAFewThenAFewMoreWithEachEvent) {
  driver.apply(project("llm"));
  driver.now = at(kTo);
  wait(2 * kRows + 7);
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "2")}), events::MachineKind::intake);
  EXPECT_EQ(driver.lines().size(), kRows);
  EXPECT_TRUE(driver.machine().has_sweeps({}));
  EXPECT_EQ(driver.machine().swept_until({}), at(kTo));
  driver.flush();
  driver.open();
  EXPECT_EQ(driver.machine().swept_until({}), at(kTo)) << "what is open is rows";
  pass();
  EXPECT_EQ(driver.lines().size(), 2 * kRows);
  // What comes now has a price, and does not wait for what came before.
  driver.apply(charged({part(kFrom, kTo, kHour)}, "now"));
  EXPECT_EQ(driver.lines().size(), 2 * kRows + 8);
  EXPECT_EQ(driver.lines().back().root.id, "now");
  EXPECT_FALSE(driver.machine().has_sweeps({}));
  EXPECT_EQ(driver.machine().swept_until({}), std::nullopt);
  EXPECT_EQ(driver.unrated(), 0U);
  EXPECT_EQ(driver.waiting(), "");
}

TEST_F(Sweeping, APriceBookLooksAtWhatWaitsForItsOwnSeller) {
  driver.apply(project("llm"));
  for (std::size_t i = 0; i < 3 * kRows; ++i) {
    events::ChargePart others = part(kFrom, kTo, kHour);
    others.seller = "other";
    driver.apply(charged({others}, std::to_string(i)));
  }
  wait(1);
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "2")}));
  EXPECT_EQ(driver.lines().size(), 1U);
  EXPECT_FALSE(driver.machine().has_sweeps({}));
}

TEST_F(Sweeping, AProjectRatesAFewThenAFewMoreWithEachEvent) {
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "2")}));
  wait(kRows + 1);
  driver.apply(project("llm"), events::MachineKind::intake);
  EXPECT_EQ(driver.lines().size(), kRows);
  pass();
  EXPECT_EQ(driver.lines().size(), kRows + 1);
  EXPECT_EQ(driver.waiting(), "");
}

// Who waits for the effect of the event that began a sweep waits for its end; nobody else does.
TEST_F(Sweeping, TheEventThatBeganItIsOwed) {
  driver.apply(project("llm"));
  wait(kRows + 1);
  driver.apply(book("aif", "a", kLongAgo, {priced("gpu", "2")}), events::MachineKind::intake);
  const std::uint64_t number = kRows + 3;
  EXPECT_TRUE(driver.machine().owes(events::MachineKind::intake, 1, number));
  EXPECT_FALSE(driver.machine().owes(events::MachineKind::intake, 1, number - 1));
  EXPECT_FALSE(driver.machine().owes(events::MachineKind::intake, 0, number));
  EXPECT_FALSE(driver.machine().owes(events::MachineKind::allocation, 1, number));
  pass();
  EXPECT_FALSE(driver.machine().owes(events::MachineKind::intake, 1, number));
}

// Several at once take turns; the order hangs on the events alone, not on commits and restarts.
TEST_F(Sweeping, RestartsChangeNothing) {
  const auto run = [](bool restarts) {
    Driver one;
    for (const char* name : {"llm", "other"}) one.apply(project(name));
    std::size_t number = 0;
    for (const char* class_name : {"gpu", "cpu", "tpu"})
      for (std::size_t i = 0; i < 2 * kRows + 9; ++i) {
        events::ChargePart made = part(kFrom, kTo, kHour);
        made.class_name = class_name;
        one.apply(charged({made}, std::to_string(++number)));
      }
    const auto step = [&](const events::Event& event) {
      one.apply(event, events::MachineKind::intake);
      if (!restarts) return;
      one.flush();
      one.open();
    };
    step(book("aif", "a", kLongAgo, {priced("gpu", "2"), priced("cpu", "1")}));
    step(book("aif", "b", kLongAgo, {priced("gpu", "2"), priced("tpu", "1"), priced("cpu", "1")}));
    for (int i = 0; i < 9; ++i) step(events::SourceCompleted{"slurm://x", at(kTo), 1});
    one.flush();
    EXPECT_FALSE(one.machine().has_sweeps({}));
    std::string text;
    for (const events::ChargeRated& line : one.lines()) text += line.root.id + ' ';
    return std::pair(text, one.store_rows());
  };
  EXPECT_EQ(run(false), run(true));
}

}  // namespace
}  // namespace granary::billing
