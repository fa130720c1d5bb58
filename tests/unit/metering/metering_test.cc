#include "services/metering/core/machine.h"

#include <gtest/gtest.h>

#include "shared/store/memory_store.h"
#include "tests/support/recording_out.h"

namespace granary::metering {
namespace {

using events::EventType;
using machine::Judgement;
using machine::Topic;
using units::Instant;

constexpr std::uint16_t kPartitions = 4;

Instant at(const char* text) {
  return units::parse_time(text).at;
}
std::uint8_t prefix_of(Table table) {
  return static_cast<std::uint8_t>(table);
}

// A shard with its store, and the few words that tests say to it.
class Shard {
 public:
  Shard() : machine_(std::make_unique<MeteringMachine>()) { machine_->open(store_); }

  void reopen() {
    flush();
    machine_ = std::make_unique<MeteringMachine>();
    machine_->open(store_);
  }
  void flush() {
    store::WriteSet rows;
    machine_->flush(rows);
    ASSERT_TRUE(store_.commit(rows).ok());
    machine_->committed();
  }
  void tick(Instant now) {
    const Instant before = std::exchange(context_.now, now);
    sweep(machine::kSweepRowsOfTick);
    machine_->apply_tick(before, context_, out);
  }
  void fact(const events::Event& event) {
    sweep(machine::kSweepRows);
    machine_->apply_lane({machine::MachineKind::intake, 0, ++number_, event}, context_, out);
  }
  void publish_classes(const char* version, Instant effective, std::vector<events::ResourceClass> classes) {
    events::PolicyPublished policy{events::PolicyKind::resource_classes, version, effective, {}};
    policy.content.classes = std::move(classes);
    fact(policy);
  }
  void publish_window(std::uint64_t days, std::uint64_t usage_days_max = 0) {
    events::PolicyPublished policy{events::PolicyKind::acceptance_window, std::to_string(days), Instant(), {}};
    policy.content.window_days = days;
    policy.content.usage_days_max = usage_days_max;
    fact(policy);
  }
  machine::Outcome send(const std::string& id, const events::Event& event, const events::Root& root = {}) {
    events::Raw raw;
    raw.source = root.source.empty() ? "slurm://aif1" : "agent";
    raw.id = id;
    raw.root = root;
    raw.recorded_at = context_.now;
    events::encode_event(event, raw.substance);
    sweep(machine::kSweepRows);
    return machine_->apply_raw({raw, event, machine::identity_of(raw)}, context_, out);
  }
  SourceRow source(const std::string& name = "slurm://aif1") {
    SourceRow found;
    machine_->each_source([&](std::string_view source, const SourceRow& row) {
      if (source == name) found = row;
    });
    return found;
  }
  std::uint64_t waiting() {
    std::uint64_t sum = 0;
    machine_->each_waiting([&](std::string_view, std::string_view, const WaitingHead& head) { sum += head.count; });
    return sum;
  }
  // Of them, those that wait for a class list.
  std::uint64_t unmeasured() {
    std::uint64_t sum = 0;
    machine_->each_waiting(
        [&](std::string_view, std::string_view, const WaitingHead& head) { sum += head.unmeasured; });
    EXPECT_EQ(machine_->figures().at(1).value, sum);
    EXPECT_EQ(machine_->figures().at(0).value, waiting() - sum);
    return sum;
  }
  std::map<Bytes, Bytes> rows() {
    flush();
    std::map<Bytes, Bytes> all;
    store_.scan("", "", [&](BytesView key, BytesView value) { return all.emplace(key, value), true; });
    return all;
  }

  std::size_t rows_of(Table table) {
    const auto all = rows();
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [table](const auto& row) { return row.first[0] == static_cast<char>(table); }));
  }

  test::RecordingOut out;

 private:
  void sweep(std::size_t rows) {
    if (machine_->has_sweeps(context_)) machine_->sweep(rows, context_, out);
  }
  store::MemoryStore store_;
  std::unique_ptr<MeteringMachine> machine_;
  machine::Router router_{kPartitions};
  machine::Context context_{machine::MachineKind::metering, 0, kPartitions, 0, Instant(), Instant(), &router_};
  std::uint64_t number_ = 0;
};

const std::vector<events::ResourceClass> kClasses{
    {"gpu:h200", events::UnitKind::resource_us, events::Charging::lots},
    {"cpu", events::UnitKind::resource_us, events::Charging::metered_only},
    {"memory", events::UnitKind::byte_ms, events::Charging::metered_only},
    {"dataset", events::UnitKind::item, events::Charging::lots}};

events::UsageReported job(const char* start, const char* end, const char* class_name = "gpu:h200", int milli = 2000) {
  events::UsageReported usage;
  usage.project = "aurora-llm";
  usage.resources = {{class_name, units::Quantity(milli), {}, ""}};
  usage.start = at(start);
  usage.end = at(end);
  return usage;
}

class Metering : public ::testing::Test {
 protected:
  void SetUp() override {
    shard.tick(at("2026-11-01T01:00:00Z"));
    shard.publish_classes("1", at("2026-01-01T00:00:00Z"), kClasses);
    shard.publish_window(90);
  }
  Shard shard;
};

TEST_F(Metering, TurnsTheWorkedExampleIntoBaseUnits) {
  auto usage = job("2026-10-31T23:30:00Z", "2026-11-01T00:30:00Z");
  usage.resources.push_back({"cpu", units::Quantity(32000), {}, ""});
  ASSERT_EQ(shard.send("81234/2026-10-31T23:30:00Z", usage).judgement, Judgement::accepted);
  const auto metered = shard.out.all<events::UsageMetered>();
  ASSERT_EQ(metered.size(), 1u);
  EXPECT_EQ(metered[0].project, "aurora-llm");
  ASSERT_EQ(metered[0].amounts.size(), 2u);
  EXPECT_TRUE(metered[0].amounts[0].raw == units::Amount(7'200'000'000));
  EXPECT_TRUE(metered[0].amounts[0].charged == units::Amount(7'200'000'000));
  EXPECT_TRUE(metered[0].amounts[1].raw == units::Amount(115'200'000'000));
  EXPECT_TRUE(metered[0].amounts[1].charged.is_zero());
  EXPECT_EQ(metered[0].classes_version, "1");
  EXPECT_EQ(metered[0].bucket_day, units::day_number(at("2026-11-01T01:00:00Z")));
  machine::Router router(kPartitions);
  EXPECT_EQ(shard.out.sent.back().partition, router.shard_of("aurora-llm"));
}

// What joins a usage with others goes on as it came, from the figure, the report and the report that waited.
TEST_F(Metering, PassesOnJobAndReservations) {
  const events::Job scheduled{"slurm://aif1", "7"};
  const events::Reservation reserved{"aurora-llm", "r1"};
  events::UsageInterim figure;
  figure.root = {"slurm://aif1", "7/1"};
  figure.project = "aurora-llm";
  figure.resources = {{"gpu:h200", units::Quantity(1000), {}, ""}};
  figure.start = at("2026-11-01T00:00:00Z");
  figure.measured_at = at("2026-11-01T00:10:00Z");
  figure.advance_reservation = "maintenance";
  figure.job = scheduled;
  figure.reservation = reserved;
  shard.send("i1", figure, figure.root);
  auto usage = job("2026-11-01T00:00:00Z", "2026-11-01T00:30:00Z");
  usage.advance_reservation = "maintenance";
  usage.job = scheduled;
  usage.reservation = reserved;
  shard.send("7/1", usage);
  usage.project.clear();
  usage.cluster = "aif1";
  usage.account = "acc";
  shard.send("7/2", usage);
  shard.reopen();
  shard.fact(events::AccountBound{"aif1", "acc", "other", {}, {}});
  const auto held = shard.out.all<events::UsageHeld>();
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].advance_reservation, "maintenance");
  EXPECT_EQ(held[0].job, scheduled);
  EXPECT_EQ(held[0].reservation, reserved);
  const auto metered = shard.out.all<events::UsageMetered>();
  ASSERT_EQ(metered.size(), 2u);
  for (const events::UsageMetered& one : metered) {
    EXPECT_EQ(one.advance_reservation, "maintenance") << one.id;
    EXPECT_EQ(one.job, scheduled) << one.id;
    EXPECT_EQ(one.reservation, reserved) << one.id;
  }
  shard.send("8", job("2026-11-01T00:00:00Z", "2026-11-01T00:30:00Z"));
  const auto last = shard.out.all<events::UsageMetered>().back();
  EXPECT_EQ(last.advance_reservation, "");
  EXPECT_FALSE(last.job || last.reservation) << "nothing is left of the usage before";
}

TEST_F(Metering, TakesARepeatOnceAndRefusesAnotherSubstance) {
  const auto usage = job("2026-10-31T23:30:00Z", "2026-11-01T00:30:00Z");
  EXPECT_EQ(shard.send("1", usage).judgement, Judgement::accepted);
  shard.reopen();
  EXPECT_EQ(shard.send("1", usage).judgement, Judgement::repeat);
  const auto other = shard.send("1", job("2026-10-31T23:30:00Z", "2026-11-01T00:45:00Z"));
  EXPECT_EQ(other.judgement, Judgement::refused);
  EXPECT_EQ(other.reason, "conflicting_duplicate");
  EXPECT_EQ(shard.out.all<events::UsageMetered>().size(), 1u);
  const SourceRow source = shard.source();
  EXPECT_EQ(source.received, 3u);
  EXPECT_EQ(source.metered, 1u);
  EXPECT_EQ(source.repeated, 1u);
  EXPECT_EQ(source.rejected, 1u);
}

TEST_F(Metering, RefusesByName) {
  const auto of_class = [](const char* name, int milli, const char* unit = "", long amount = 0) {
    auto usage = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z", name, milli);
    if (*unit != 0) usage.resources[0] = {name, {}, units::Amount(amount), unit};
    return usage;
  };
  auto huge = of_class("gpu:h200", 1);
  huge.resources[0].quantity = units::Quantity(units::kAmountMax);
  const struct {
    events::UsageReported usage;
    const char* reason;
    const char* field;
  } cases[] = {
      {job("2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z"), "usage_too_old", "/end"},
      {of_class("gpu:b200", 1000), "unknown_resource_class", "/resources/0/class"},
      {job("2025-12-31T00:00:00Z", "2026-10-31T00:00:00Z"), "unknown_resource_class", "/resources/0/class"},
      {of_class("dataset", 0, "byte-ms", 3), "unit_differs", "/resources/0/unit"},
      {of_class("memory", 1500), "quantity_too_precise", "/resources/0/quantity"},
      {huge, "quantity_overflow", "/resources/0/quantity"},
  };
  int number = 0;
  for (const auto& c : cases) {
    const std::string id = "bad-" + std::to_string(++number);
    const auto outcome = shard.send(id, c.usage);
    EXPECT_EQ(outcome.reason, c.reason) << number;
    EXPECT_EQ(outcome.field, c.field) << number;
    EXPECT_FALSE(outcome.hint.empty()) << number;
    // A refused one leaves no id: sent again, it is judged again.
    EXPECT_EQ(shard.send(id, c.usage).judgement, Judgement::refused) << number;
  }
  EXPECT_TRUE(shard.out.all<events::UsageMetered>().empty());
  EXPECT_EQ(shard.source().rejected, 12u);
}

TEST_F(Metering, JudgesAgainOnceTheClassIsPublished) {
  const auto usage = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z", "gpu:b200");
  EXPECT_EQ(shard.send("1", usage).judgement, Judgement::refused);
  auto classes = kClasses;
  classes.push_back({"gpu:b200", events::UnitKind::resource_us, events::Charging::lots});
  shard.publish_classes("2", at("2026-06-01T00:00:00Z"), classes);
  EXPECT_EQ(shard.send("1", usage).judgement, Judgement::accepted);
  EXPECT_EQ(shard.out.all<events::UsageMetered>()[0].classes_version, "2");
}

TEST_F(Metering, TakesAJobOfNoLengthAndItems) {
  EXPECT_EQ(shard.send("1", job("2026-10-31T23:00:00Z", "2026-10-31T23:00:00Z")).judgement, Judgement::accepted);
  auto items = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z", "dataset", 3000);
  EXPECT_EQ(shard.send("2", items).judgement, Judgement::accepted);
  const auto metered = shard.out.all<events::UsageMetered>();
  EXPECT_TRUE(metered[0].amounts[0].raw.is_zero());
  EXPECT_TRUE(metered[1].amounts[0].raw == units::Amount(3));
}

TEST_F(Metering, UsageOfAnUnboundAccountWaitsAndIsReleasedInOrder) {
  auto usage = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z");
  usage.project.clear();
  usage.cluster = "aif1";
  usage.account = "acc";
  auto later = usage;
  later.start = at("2026-10-31T23:15:00Z");
  EXPECT_EQ(shard.send("1", usage).judgement, Judgement::waiting);
  EXPECT_EQ(shard.send("2", later).judgement, Judgement::waiting);
  EXPECT_EQ(shard.send("1", usage).judgement, Judgement::repeat);
  EXPECT_EQ(shard.waiting(), 2u);
  EXPECT_EQ(shard.source().pending, 2u);
  shard.reopen();
  shard.fact(events::AccountBound{"aif1", "acc", "late", at("2026-10-31T23:10:00Z"), {}});
  EXPECT_EQ(shard.waiting(), 1u);
  shard.fact(events::AccountBound{"aif1", "acc", "early", {}, at("2026-10-31T23:10:00Z")});
  EXPECT_EQ(shard.waiting(), 0u);
  const auto metered = shard.out.all<events::UsageMetered>();
  ASSERT_EQ(metered.size(), 2u);
  EXPECT_EQ(metered[0].project + metered[0].id, "late2");
  EXPECT_EQ(metered[1].project + metered[1].id, "early1");
  EXPECT_EQ(shard.source().pending, 0u);
  EXPECT_EQ(shard.source().metered, 2u);
  EXPECT_EQ(shard.send("1", usage).judgement, Judgement::repeat);
}

TEST_F(Metering, IdentitiesGoWhenTheWindowAndADayHavePassedAndNothingSlipsIn) {
  const auto usage = job("2026-10-31T23:30:00Z", "2026-11-01T00:30:00Z");
  EXPECT_EQ(shard.send("1", usage).judgement, Judgement::accepted);
  shard.tick(at("2027-01-31T23:00:00Z"));
  EXPECT_EQ(shard.send("1", usage).judgement, Judgement::repeat) << "the window has passed, the day has not";
  shard.tick(at("2027-02-02T00:00:00Z"));
  EXPECT_EQ(shard.send("1", usage).reason, "usage_too_old");
  shard.publish_window(3650);
  EXPECT_EQ(shard.send("1", usage).reason, "usage_too_old") << "a larger window cannot bring back what was forgotten";
  shard.reopen();
  EXPECT_EQ(shard.send("1", usage).reason, "usage_too_old");
}

TEST_F(Metering, InterimFiguresHoldUntilTheFinalReport) {
  const events::Root root{"slurm://aif1", "7"};
  events::UsageInterim interim;
  interim.root = root;
  interim.project = "aurora-llm";
  interim.resources = {{"gpu:h200", units::Quantity(1000), {}, ""}};
  interim.start = at("2026-11-01T00:00:00Z");
  interim.measured_at = at("2026-11-01T00:10:00Z");
  EXPECT_EQ(shard.send("i1", interim, root).judgement, Judgement::accepted);
  EXPECT_EQ(shard.send("i1", interim, root).judgement, Judgement::repeat);
  interim.resources[0].quantity = units::Quantity(2000);
  EXPECT_EQ(shard.send("another id", interim, root).judgement, Judgement::repeat) << "a figure is its job's and time's";
  EXPECT_EQ(shard.send("7", job("2026-11-01T00:00:00Z", "2026-11-01T00:30:00Z")).judgement, Judgement::accepted);
  interim.measured_at = at("2026-11-01T00:20:00Z");
  EXPECT_EQ(shard.send("i2", interim, root).judgement, Judgement::repeat) << "it says nothing new";
  EXPECT_EQ(shard.out.all<events::UsageHeld>().size(), 1u) << "after the final report nothing is held";
  EXPECT_EQ(shard.source().interim, 4u);
  EXPECT_EQ(shard.source().received, 1u);
}

// 10,000 jobs that run for a year, with a figure each five minutes, would be a billion identities.
TEST_F(Metering, InterimFiguresFillNoIndexOfIdentities) {
  const auto ids = [this] { return shard.rows_of(Table::ids); };
  const std::size_t before = ids();
  events::UsageInterim interim;
  interim.root = {"slurm://aif1", "7"};
  interim.project = "aurora-llm";
  interim.resources = {{"gpu:h200", units::Quantity(1000), {}, ""}};
  interim.start = at("2026-11-01T00:00:00Z");
  for (int minute = 1; minute <= 300; ++minute) {
    interim.measured_at = interim.start.plus_ms(minute * units::kMinuteMs);
    EXPECT_EQ(shard.send("i" + std::to_string(minute), interim, interim.root).judgement, Judgement::accepted);
  }
  EXPECT_EQ(ids(), before);
  EXPECT_EQ(shard.rows_of(Table::held), 1u);
}

TEST_F(Metering, AFigureOfAnUnboundAccountIsRememberedAndHoldsNothing) {
  events::UsageInterim interim;
  interim.root = {"slurm://aif1", "7"};
  interim.project = "one";
  interim.resources = {{"gpu:h200", units::Quantity(1000), {}, ""}};
  interim.start = at("2026-11-01T00:00:00Z");
  interim.measured_at = at("2026-11-01T00:10:00Z");
  shard.send("i1", interim, interim.root);
  interim.project.clear();
  interim.cluster = "aif1";
  interim.account = "nobody's";
  interim.measured_at = at("2026-11-01T00:20:00Z");
  EXPECT_EQ(shard.send("i2", interim, interim.root).judgement, Judgement::accepted);
  EXPECT_EQ(shard.out.all<events::HoldSettled>().size(), 1u);
  shard.reopen();
  interim.project = "one";
  interim.account = interim.cluster = "";
  EXPECT_EQ(shard.send("i2 again", interim, interim.root).judgement, Judgement::repeat) << "whatever it says";
  interim.measured_at = at("2026-11-01T00:15:00Z");
  EXPECT_EQ(shard.send("late", interim, interim.root).judgement, Judgement::repeat);
  EXPECT_EQ(shard.out.all<events::UsageHeld>().size(), 1u);
  EXPECT_EQ(shard.send("7", job("2026-11-01T00:00:00Z", "2026-11-01T00:30:00Z")).judgement, Judgement::accepted);
  EXPECT_EQ(shard.out.all<events::HoldSettled>().size(), 1u) << "nobody holds anything any more";
}

// The classic unset epoch: one such usage was cut into as many pieces as months since 1970, for each class.
TEST_F(Metering, AUsageLastsAtMostAsLongAsThePolicySays) {
  shard.publish_classes("epoch", at("1970-01-01T00:00:00Z"), kClasses);
  const auto refused = shard.send("epoch", job("1970-01-01T00:00:00Z", "2026-10-31T00:00:00Z"));
  EXPECT_EQ(refused.reason, "usage_too_long");
  EXPECT_EQ(refused.field, "/start");
  EXPECT_NE(refused.hint.find("at most 400 days"), std::string::npos) << refused.hint;
  EXPECT_EQ(shard.send("longest", job("2025-09-26T00:00:00Z", "2026-10-31T00:00:00Z")).judgement, Judgement::accepted);
  EXPECT_EQ(shard.send("longer", job("2025-09-25T23:59:59.999Z", "2026-10-31T00:00:00Z")).reason, "usage_too_long");
  shard.publish_window(90, 30);
  EXPECT_EQ(shard.send("a month", job("2026-10-01T00:00:00Z", "2026-10-31T00:00:00Z")).judgement, Judgement::accepted);
  EXPECT_EQ(shard.send("a month and more", job("2026-09-30T00:00:00Z", "2026-10-31T00:00:00Z")).reason,
            "usage_too_long");
  events::UsageInterim interim;
  interim.root = {"slurm://aif1", "7"};
  interim.project = "one";
  interim.resources = {{"gpu:h200", units::Quantity(1000), {}, ""}};
  interim.start = at("2026-09-01T00:00:00Z");
  interim.measured_at = at("2026-10-31T00:10:00Z");
  EXPECT_EQ(shard.send("i", interim, interim.root).reason, "usage_too_long");
}

// A binding for which much waits sends a few usages on, and a few more with each event that follows.
TEST_F(Metering, WhatABindingReleasesIsDoneAFewAtATimeAndInOrder) {
  constexpr std::size_t kRows = machine::kSweepRows;
  auto usage = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z");
  usage.project.clear();
  usage.cluster = "aif1";
  usage.account = "acc";
  for (std::size_t i = 0; i < 2 * kRows + 5; ++i) shard.send(std::to_string(i), usage);
  const auto sent = [this] { return shard.out.all<events::UsageMetered>(); };
  shard.fact(events::AccountBound{"aif1", "acc", "late", {}, {}});
  EXPECT_EQ(sent().size(), kRows);
  shard.reopen();
  EXPECT_EQ(shard.send("others", job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z")).judgement, Judgement::accepted);
  EXPECT_EQ(sent().size(), 2 * kRows + 1);
  EXPECT_EQ(sent().back().id, "others");
  const auto queued = shard.send("joins", usage);
  EXPECT_EQ(queued.judgement, Judgement::accepted) << "the sweep had come to its end before it";
  EXPECT_EQ(sent().size(), 2 * kRows + 7);
  EXPECT_EQ(shard.waiting(), 0u);
}

TEST_F(Metering, UsageOfAnAccountThatIsSweptWaitsBehindWhatCameBefore) {
  constexpr std::size_t kRows = machine::kSweepRows;
  auto usage = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z");
  usage.project.clear();
  usage.cluster = "aif1";
  usage.account = "acc";
  for (std::size_t i = 0; i < 3 * kRows; ++i) shard.send(std::to_string(i), usage);
  shard.fact(events::AccountBound{"aif1", "acc", "late", {}, {}});
  const auto queued = shard.send("joins", usage);
  EXPECT_EQ(queued.judgement, Judgement::waiting);
  EXPECT_EQ(queued.reason, "queued");
  EXPECT_EQ(shard.send("joins", usage).judgement, Judgement::repeat);
  shard.tick(at("2026-11-01T01:00:10Z"));
  EXPECT_EQ(shard.out.all<events::UsageMetered>().size(), 3 * kRows + 1);
  EXPECT_EQ(shard.out.all<events::UsageMetered>().back().id, "joins");
  EXPECT_EQ(shard.source().pending, 0u);
}

// Accounts that wait for a class list go on in the order of their names, each in its own order.
TEST_F(Metering, WhatAClassListReleasesIsDoneAFewAtATime) {
  const auto run = [](bool restarts) {
    constexpr std::size_t kRows = machine::kSweepRows;
    Shard one;
    one.tick(at("2026-11-01T01:00:00Z"));
    one.publish_classes("1", at("2026-01-01T00:00:00Z"), kClasses);
    auto usage = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z");
    usage.project.clear();
    usage.cluster = "aif1";
    for (std::size_t i = 0; i < 9 * kRows; ++i) {
      usage.account = "acc" + std::to_string(i % 7);
      one.send(std::to_string(i), usage);
    }
    const auto none = std::vector<events::ResourceClass>(kClasses.begin() + 1, kClasses.end());
    one.publish_classes("2", at("2026-02-01T00:00:00Z"), none);
    for (int i = 0; i < 7; ++i) {
      one.fact(events::AccountBound{"aif1", "acc" + std::to_string(i), "late", {}, {}});
      one.tick(at("2026-11-01T01:00:00Z").plus_ms((i + 1) * 10'000));
    }
    EXPECT_EQ(one.unmeasured(), 9 * kRows);
    EXPECT_TRUE(one.out.all<events::UsageMetered>().empty());
    one.publish_classes("3", at("2026-03-01T00:00:00Z"), kClasses);
    EXPECT_EQ(one.out.all<events::UsageMetered>().size(), kRows);
    usage.account = "acc6";
    EXPECT_EQ(one.send("joins", usage).reason, "queued");
    for (int i = 0; i < 9; ++i) {
      if (restarts) one.reopen();
      one.send("other-" + std::to_string(i), job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z"));
    }
    EXPECT_EQ(one.waiting(), 0u);
    std::string ids;
    for (const auto& metered : one.out.all<events::UsageMetered>()) ids += metered.id + ' ';
    return std::pair(ids, one.rows());
  };
  EXPECT_EQ(run(false), run(true));
}

// Usage that is queued behind what waits for its classes is neither overtaken nor left behind, also if another list
// comes.
TEST_F(Metering, UsageThatIsQueuedBehindAClassListKeepsItsPlace) {
  constexpr std::size_t kRows = machine::kSweepRows;
  auto usage = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z");
  usage.project.clear();
  usage.cluster = "aif1";
  std::string expected;
  const auto send = [&](const std::string& account, const std::string& id) {
    usage.account = account;
    if (account == "m") expected += id + ' ';
    return shard.send(id, usage);
  };
  for (std::size_t i = 0; i < 9 * kRows; ++i) send("a", "a" + std::to_string(i));
  for (std::size_t i = 0; i < kRows + 10; ++i) send("m", "m" + std::to_string(i));
  shard.publish_classes("2", at("2026-02-01T00:00:00Z"), {kClasses.begin() + 1, kClasses.end()});
  for (const char* account : {"a", "m"}) shard.fact(events::AccountBound{"aif1", account, "late", {}, {}});
  shard.tick(at("2026-11-01T01:00:10Z"));
  EXPECT_EQ(shard.unmeasured(), 10 * kRows + 10);
  shard.publish_classes("3", at("2026-03-01T00:00:00Z"), kClasses);
  for (int i = 0; i < 30; ++i) {
    if (i == 4 || i == 10) shard.publish_classes(i == 4 ? "4" : "5", at("2026-04-01T00:00:00Z"), kClasses);
    send("m", "later" + std::to_string(i));
    if (i % 3 == 0) shard.reopen();
  }
  EXPECT_EQ(shard.waiting(), 0u);
  EXPECT_EQ(shard.unmeasured(), 0u);
  std::string got;
  for (const auto& metered : shard.out.all<events::UsageMetered>())
    if (metered.id[0] != 'a') got += metered.id + ' ';
  EXPECT_EQ(got, expected);
}

// A report that waits for its turn may still move to another project, so nothing is held for it meanwhile.
TEST_F(Metering, AQueuedReportLeavesNoHoldBehind) {
  constexpr std::size_t kRows = machine::kSweepRows;
  auto usage = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z");
  usage.project.clear();
  usage.cluster = "aif1";
  usage.account = "acc";
  for (std::size_t i = 0; i < 4 * kRows; ++i) shard.send(std::to_string(i), usage);
  shard.fact(events::AccountBound{"aif1", "acc", "one", {}, {}});
  events::UsageInterim interim;
  interim.root = {"slurm://aif1", "j"};
  interim.cluster = "aif1";
  interim.account = "acc";
  interim.resources = usage.resources;
  interim.start = usage.start;
  interim.measured_at = usage.start.plus_ms(1000);
  shard.send("i", interim, interim.root);
  EXPECT_EQ(shard.out.all<events::UsageHeld>().size(), 1u);
  EXPECT_EQ(shard.send("j", usage).reason, "queued");
  EXPECT_EQ(shard.out.all<events::HoldSettled>().size(), 1u);
  shard.fact(events::AccountBound{"aif1", "acc", "two", {}, {}});
  shard.tick(at("2026-11-01T01:00:10Z"));
  EXPECT_EQ(shard.waiting(), 0u);
  EXPECT_EQ(shard.out.all<events::UsageMetered>().back().project, "two");
}

TEST_F(Metering, AHoldMovesWithItsJobAndIsForgottenWithTheWindow) {
  const events::Root root{"slurm://aif1", "7"};
  events::UsageInterim interim;
  interim.root = root;
  interim.project = "one";
  interim.resources = {{"gpu:h200", units::Quantity(1000), {}, ""}};
  interim.start = at("2026-11-01T00:00:00Z");
  const auto figure = [&](const char* project, const char* measured_at, Judgement judgement = Judgement::accepted) {
    interim.project = project;
    interim.measured_at = at(measured_at);
    EXPECT_EQ(shard.send(measured_at, interim, root).judgement, judgement);
  };
  const auto settled = [&] {
    std::vector<std::string> projects;
    for (const auto& one : shard.out.all<events::HoldSettled>()) projects.push_back(one.project);
    return projects;
  };
  figure("one", "2026-11-01T00:10:00Z");
  figure("one", "2026-11-01T00:20:00Z");
  EXPECT_TRUE(settled().empty());
  shard.reopen();
  figure("two", "2026-11-01T00:30:00Z");
  EXPECT_EQ(settled(), (std::vector<std::string>{"one"}));
  figure("one", "2026-11-01T00:25:00Z", Judgement::repeat);  // late
  EXPECT_EQ(shard.out.all<events::UsageHeld>().size(), 3u);
  shard.reopen();
  EXPECT_EQ(shard.send("7", job("2026-11-01T00:00:00Z", "2026-11-01T00:40:00Z")).judgement, Judgement::accepted);
  EXPECT_EQ(settled(), (std::vector<std::string>{"one", "two"})) << "the report names aurora-llm";
  const auto rows_before = shard.rows().size();
  const events::Root silent{"slurm://aif1", "8"};
  interim.root = silent;
  EXPECT_EQ(shard.send("8/1", interim, silent).judgement, Judgement::accepted);
  EXPECT_GT(shard.rows().size(), rows_before);
  shard.tick(at("2027-02-03T00:00:00Z"));
  for (const auto& [key, row] : shard.rows()) EXPECT_NE(key[0], static_cast<char>(prefix_of(Table::held)));
}

TEST_F(Metering, PassesASourcesStatementToEveryAllocationShard) {
  shard.fact(events::SourceStated{"slurm://aif1", at("2026-11-01T00:00:00Z"), 12});
  EXPECT_EQ(shard.out.all<events::SourceCompleted>().size(), kPartitions);
  EXPECT_EQ(shard.source().records, 12u);
}

TEST(MeteringRows, DoNotDependOnWhereCommitsFall) {
  const auto run = [](int commit_every) {
    Shard shard;
    shard.tick(at("2026-11-01T01:00:00Z"));
    shard.publish_classes("1", at("2026-01-01T00:00:00Z"), kClasses);
    shard.publish_window(90);
    for (int i = 0; i < 600; ++i) {
      auto usage = job("2026-10-31T23:00:00Z", "2026-10-31T23:30:00Z", i % 7 == 0 ? "none" : "gpu:h200", 1 + i % 5);
      if (i % 11 == 0) usage.project.clear(), usage.cluster = "c", usage.account = "a" + std::to_string(i % 3);
      shard.send(std::to_string(i % 450), usage);
      if (i == 300) shard.fact(events::AccountBound{"c", "a1", "p", {}, {}});
      if (i == 400) shard.tick(at("2026-11-03T00:00:00Z"));
      if (i % commit_every == 0) shard.flush();
    }
    return std::pair(shard.rows(), shard.out.sent.size());
  };
  const auto one = run(1);
  EXPECT_EQ(one, run(1000));
  EXPECT_EQ(one, run(7));
  EXPECT_GT(one.first.size(), 5u);
  EXPECT_EQ(one.first.begin()->first[0], static_cast<char>(prefix_of(Table::ids)));
}

// Its account was bound while a class list without its class was in force: the binding is there, so no other one will
// come. A list that has the class again lets it go.
TEST_F(Metering, ACorrectedClassListReleasesWhatItsAccountsBindingCouldNot) {
  events::UsageReported usage = job("2026-10-30T10:00:00Z", "2026-10-30T11:00:00Z");
  usage.project.clear();
  usage.cluster = "aif1";
  usage.account = "acc";
  EXPECT_EQ(shard.send("j1", usage).judgement, Judgement::waiting);
  shard.publish_classes("1", at("2026-01-01T00:00:00Z"), {kClasses[1]});
  shard.fact(events::AccountBound{"aif1", "acc", "aurora-llm", {}, {}});
  EXPECT_EQ(shard.waiting(), 1U);
  EXPECT_EQ(shard.unmeasured(), 1U);
  shard.reopen();
  EXPECT_EQ(shard.unmeasured(), 1U);
  shard.publish_classes("1a", at("2026-01-01T00:00:00Z"), kClasses);
  EXPECT_EQ(shard.waiting(), 0U);
  EXPECT_EQ(shard.source().pending, 0U);
  EXPECT_EQ(shard.out.all<events::UsageMetered>().size(), 1U);
}

// A binding that is made anew with an end leaves the usage without a project again.
TEST_F(Metering, UsageThatWaitsForAClassListWaitsForABindingAgainIfItsOwnIsTakenBack) {
  events::UsageReported usage = job("2026-10-30T10:00:00Z", "2026-10-30T11:00:00Z");
  usage.project.clear();
  usage.cluster = "aif1";
  usage.account = "acc";
  shard.send("j1", usage);
  shard.publish_classes("1", at("2026-01-01T00:00:00Z"), {kClasses[1]});
  shard.fact(events::AccountBound{"aif1", "acc", "aurora-llm", {}, {}});
  EXPECT_EQ(shard.unmeasured(), 1U);
  shard.fact(events::AccountBound{"aif1", "acc", "aurora-llm", {}, at("2026-10-01T00:00:00Z")});
  EXPECT_EQ(shard.unmeasured(), 0U);
  EXPECT_EQ(shard.waiting(), 1U);
  shard.publish_classes("1a", at("2026-01-01T00:00:00Z"), kClasses);
  EXPECT_EQ(shard.waiting(), 1U);
  shard.fact(events::AccountBound{"aif1", "acc", "aurora-llm", {}, {}});
  EXPECT_EQ(shard.waiting(), 0U);
}

}  // namespace
}  // namespace granary::metering
