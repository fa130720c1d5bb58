// Four toy machines under the runtime over a journal in memory: each event counts once, questions are answered along
// the lanes, a parked shard stands alone. Faults and losses: recovery_test.cc.
#include <gtest/gtest.h>

#include <fstream>
#include <future>

#include "shared/proof/hash.h"
#include "tests/support/toy_ledger.h"

namespace granary::test {
namespace {

using machine::Judgement;
using machine::MachineKind;
using machine::Topic;
using runtime::Place;
using runtime::Token;
using Folded = runtime::Runtime::Folded;

constexpr auto kLimit = std::chrono::seconds(30);

std::string project(int n) {
  return "p-" + std::string(1, static_cast<char>('a' + n % 7));
}

std::uint16_t billing_shard(const std::string& of_project) {
  return proof::shard_of({organisation_of(of_project)}, 2);
}

TEST(Runtime, EachEventCountsOnceThroughFourMachines) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  ledger.append(Topic::applications, 0, toy_stated("s1", "key", 42));
  ledger.append(Topic::applications, 0, toy_stated("s1", "key", 42));
  for (int n = 0; n < 300; ++n) {
    ledger.usage("u" + std::to_string(n), project(n), n);
    if (n % 3 == 0) ledger.usage("u" + std::to_string(n / 2), project(n / 2), n / 2);
    if (n % 50 == 0) ledger.usage("x" + std::to_string(n), "nobody", n);
  }
  ASSERT_TRUE(ledger.settle());
  ledger.check();
  for (const Shard& shard : ledger.shards())
    ledger.ask(shard, [&](ToyMachine& toy, const runtime::ShardStatus& status) {
      EXPECT_EQ(toy.sum("key"), (ToySum{1, units::Amount(42)})) << machine::machine_name(shard.first);
      EXPECT_EQ(status.repeats_dropped, 0U);
      EXPECT_EQ(status.lane_alarms, 0U);
      EXPECT_EQ(status.end, status.position);
    });
  EXPECT_TRUE(ledger.runtime->caught_up());
}

// What the doors' ask() shows.
ToySum committed_sum(ToyLedger& ledger, const Shard& shard, const std::string& key, runtime::AsOf* as_of = nullptr) {
  std::promise<ToySum> told;
  ledger.runtime->ask(shard.first, shard.second, [&](machine::Machine& rules, const runtime::AsOf& holds_for) {
    if (as_of != nullptr) *as_of = holds_for;
    told.set_value(static_cast<ToyMachine&>(rules).sum(key));
  });
  return told.get_future().get();
}

TEST(Runtime, AQuestionSeesTheNewestCommitWhileTheShardsOwnerIsBusy) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  ledger.append(Topic::applications, 0, toy_stated("s1", "key", 42));
  ledger.tick(units::kHourMs);
  ASSERT_TRUE(ledger.settle());
  const Shard intake{MachineKind::intake, 0};
  std::promise<void> reached, go_on;
  ledger.runtime->ask_owner(intake.first, intake.second, [&](machine::Machine&, const runtime::ShardStatus&) {
    reached.set_value();
    go_on.get_future().wait();
  });
  reached.get_future().wait();
  const auto place = ledger.append(Topic::applications, 0, toy_stated("s2", "key", 8));
  runtime::AsOf as_of;
  EXPECT_EQ(committed_sum(ledger, intake, "key", &as_of), (ToySum{1, units::Amount(42)}));
  EXPECT_EQ(as_of.shard, 0);
  EXPECT_EQ(as_of.position, place.offset);
  EXPECT_EQ(as_of.now, units::Instant(units::kHourMs));
  EXPECT_EQ(as_of.complete, as_of.now) << "no lane leads to intake";
  go_on.set_value();
  const auto alive = std::make_shared<int>();
  std::promise<void> folded;
  ledger.runtime->when_folded(Token{{place}}, intake.first, intake.second, alive, [&](Folded) { folded.set_value(); });
  folded.get_future().wait();
  EXPECT_EQ(committed_sum(ledger, intake, "key", &as_of), (ToySum{2, units::Amount(50)}));
  EXPECT_EQ(as_of.position, place.offset + 1);
}

// Who waits for the outcome of a post and then asks without a token has to see what was posted.
TEST(Runtime, AQuestionAfterAnOutcomeSeesWhatWasJudged) {
  ToyLedger ledger;
  ledger.options.commit_pause = std::chrono::milliseconds(5);
  ASSERT_TRUE(ledger.start().ok());
  const auto alive = std::make_shared<int>();
  for (std::uint64_t n = 1; n <= 20; ++n) {
    const auto place = ledger.append(Topic::applications, 0, toy_stated("s" + std::to_string(n), "key", 1));
    std::promise<void> judged;
    ledger.runtime->when_judged(Topic::applications, 0, {place.offset}, alive,
                                [&](const auto&) { judged.set_value(); });
    judged.get_future().wait();
    ASSERT_EQ(committed_sum(ledger, {MachineKind::intake, 0}, "key").events, n);
  }
}

// A shard that finds more each time that it looks would commit by the number of events alone.
TEST(Runtime, WhatIsFoldedIsCommittedAfterATimeThoughMoreComes) {
  ToyLedger ledger;
  ledger.options.commit_pause = std::chrono::hours(1);
  ledger.options.commit_age_max = std::chrono::milliseconds(0);
  ASSERT_TRUE(ledger.start().ok());
  ledger.usage("u", project(1), 5);
  ASSERT_TRUE(ledger.settle());
  ledger.check();
}

TEST(Runtime, CompletePassesFromMachineToMachine) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  constexpr std::int64_t kHour = units::kHourMs;
  for (int i = 1; i <= 4; ++i) {
    ledger.tick(i * kHour);
    ASSERT_TRUE(ledger.settle());
  }
  for (const Shard& shard : ledger.shards()) {
    const auto status = ledger.status(shard);
    EXPECT_EQ(status.now.ms(), 4 * kHour);
    // Each hop waits for a tick of its own: the billing shards heard what allocation knew at its tick.
    EXPECT_GT(status.complete.ms(), 0) << machine::machine_name(shard.first);
    EXPECT_LE(status.complete.ms(), 4 * kHour);
  }
  EXPECT_EQ(ledger.status({MachineKind::intake, 0}).complete.ms(), 4 * kHour);
}

TEST(Runtime, AWaitEndsWhenTheEffectIsFoldedAlongTheLanes) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  const auto gate = ToyLedger::partition(Topic::ledger, billing_shard("p-a"));
  ledger.journal.delay(gate);
  const Token token{{ledger.usage("1", "p-a", 5)}};
  const Shard billing{MachineKind::billing, billing_shard("p-a")};

  std::promise<void> folded;
  auto done = folded.get_future();
  const auto alive = std::make_shared<int>();
  auto dropped = std::make_shared<int>();
  std::atomic<bool> called = false;
  ledger.runtime->when_folded(token, billing.first, billing.second, alive, [&](Folded) { folded.set_value(); });
  ledger.runtime->when_folded(token, billing.first, billing.second, dropped, [&](Folded) { called = true; });
  dropped.reset();

  // Allocation has folded it, so that only the gate is left; nothing more can come of any number of passes.
  std::promise<void> charged;
  ledger.runtime->when_folded(token, MachineKind::allocation, proof::shard_of({"p-a"}, 2), alive,
                              [&](Folded) { charged.set_value(); });
  ASSERT_EQ(charged.get_future().wait_for(kLimit), std::future_status::ready);
  for (int i = 0; i < 50; ++i) ledger.status(billing);
  EXPECT_EQ(done.wait_for(std::chrono::seconds(0)), std::future_status::timeout);

  ledger.journal.release(gate);
  ASSERT_EQ(done.wait_for(kLimit), std::future_status::ready);
  ledger.ask(billing, [](ToyMachine& toy, const runtime::ShardStatus&) { EXPECT_EQ(toy.sum("o-a").events, 1U); });
  ASSERT_TRUE(ledger.settle());
  EXPECT_FALSE(called);
}

TEST(Runtime, AWaitForWhatIsBehindTheMachineEndsAtOnce) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  const auto alive = std::make_shared<int>();
  for (const Token& token : {Token{}, Token{{{Topic::ledger, 1, 1'000'000}}}, Token{{{Topic::usage, 0, 0}}}}) {
    std::promise<std::thread::id> folded;
    ledger.runtime->when_folded(token, MachineKind::metering, 1, alive,
                                [&](Folded) { folded.set_value(std::this_thread::get_id()); });
    auto done = folded.get_future();
    ASSERT_EQ(done.wait_for(kLimit), std::future_status::ready);
    EXPECT_TRUE(done.get() != std::this_thread::get_id()) << "callbacks run on a worker";
  }
}

// A log that was restored from an older backup, or an offset that somebody made up.
TEST(Runtime, AWaitForARecordThatTheLogDoesNotHoldIsToldSo) {
  ToyLedger ledger;
  ledger.options.doubt_after = std::chrono::milliseconds(1);
  ASSERT_TRUE(ledger.start().ok());
  const auto alive = std::make_shared<int>();
  const Place last = ledger.usage("1", "p-a", 5);
  for (const std::uint64_t beyond : {0, 1, 1'000'000}) {
    const Place place{last.topic, last.partition, last.offset + beyond};
    std::promise<Folded> told;
    ledger.runtime->when_folded(Token{{place, {Topic::applications, 0, 0}}}, MachineKind::billing, 0, alive,
                                [&](Folded folded) { told.set_value(folded); });
    auto done = told.get_future();
    ASSERT_EQ(done.wait_for(kLimit), std::future_status::ready);
    EXPECT_EQ(done.get(), beyond == 0 ? Folded::yes : Folded::beyond_the_log) << beyond;
  }
}

TEST(Runtime, AShardThatHasMetWhatWasAskedAnswersWithItsLanes) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  const auto alive = std::make_shared<int>();
  const Place last = ledger.usage(id_in(1, "t"), "p-a", 5);
  runtime::Needs needs;
  needs.position = last.offset + 1;
  needs.published = true;
  std::promise<std::vector<runtime::LaneNumber>> told;
  ledger.runtime->when_met(
      {MachineKind::metering, 1}, needs, alive,
      [&](std::optional<std::vector<runtime::LaneNumber>> lanes) { told.set_value(lanes.value()); });
  auto lanes = told.get_future();
  ASSERT_EQ(lanes.wait_for(kLimit), std::future_status::ready);
  std::uint64_t sent = 0;
  for (const auto& lane : lanes.get()) sent += lane.topic == Topic::allocations ? lane.number : 0;
  EXPECT_EQ(sent, 1U);
}

TEST(Runtime, TellsWhatARecordCameTo) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  const auto alive = std::make_shared<int>();
  const auto judged = [&](const Place& place) {
    std::promise<std::optional<machine::Outcome>> outcome;
    ledger.runtime->when_judged(place.topic, place.partition, {place.offset}, alive,
                                [&](auto got) { outcome.set_value(std::move(got.front())); });
    return outcome.get_future().get();
  };
  EXPECT_EQ(judged(ledger.usage("1", "p-a", 5))->judgement, Judgement::accepted);
  EXPECT_EQ(judged(ledger.usage("1", "p-a", 5))->judgement, Judgement::repeat);
  const auto refused = judged(ledger.usage("2", "nobody", 5));
  EXPECT_EQ(refused->judgement, Judgement::refused);
  EXPECT_EQ(refused->reason, "toy_refuses");
  EXPECT_EQ(refused->field, "/project");
  EXPECT_FALSE(judged({Topic::usage, 0, 0})) << "the genesis was not judged";
  ASSERT_TRUE(ledger.settle());
  ledger.stop();
  ASSERT_TRUE(ledger.start().ok());
  EXPECT_FALSE(judged({Topic::usage, toy_shard("1", 2), 1})) << "judged by a process before";
}

TEST(Runtime, AParkedShardStandsAloneAndGoesOnInABuildThatKnowsTheWay) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  ledger.usage(id_in(0, "before"), "p-a", 1);
  ASSERT_TRUE(ledger.settle());
  const Place unknown = ledger.append(Topic::usage, 0, toy_newer(0x72));
  const std::string waiting = id_in(0, "waits");
  ledger.append(Topic::usage, 0, toy_usage(waiting, "p-b", 2));
  for (int n = 0; n < 20; ++n) ledger.usage(id_in(1, "serves" + std::to_string(n) + "-"), project(n), n);
  for (int restarts = 0; restarts < 3; ++restarts) {
    ASSERT_TRUE(ledger.settle());
    const auto status = ledger.status({MachineKind::metering, 0});
    EXPECT_NE(status.parked.find("kind or version"), std::string::npos) << status.parked;
    EXPECT_EQ(status.position, unknown.offset);
    EXPECT_EQ(status.end, unknown.offset + 2) << "what waits behind it is seen";
    EXPECT_TRUE(ledger.runtime->caught_up());
    ledger.check();
    ledger.stop();
    if (restarts == 1) ledger.wipe_all();
    ASSERT_TRUE(ledger.start().ok());
  }
}

TEST(Runtime, ABrokenLawLeavesAMarkerAndTheNextStartParksThere) {
  testing_support::TempDirectory markers;
  const std::string marker = markers / "parked-metering-0";
  for (const char* lawless : {"lawless", "lawless-later"}) {
    const auto run = [&](ToyLedger& ledger) {
      ledger.markers = markers.path();
      ASSERT_TRUE(ledger.start().ok());
      ledger.usage(id_in(0, "good"), "p-a", 1);
      ASSERT_TRUE(ledger.settle());
      ledger.append(Topic::usage, 0, toy_usage(id_in(0, "bad"), lawless, 1));
      ASSERT_TRUE(ledger.settle());
    };
    EXPECT_DEATH(
        {
          ToyLedger ledger;
          run(ledger);
        },
        "a law of the toy is broken");
    ASSERT_TRUE(std::filesystem::exists(marker));
    ToyLedger next;
    run(next);
    const auto status = next.status({MachineKind::metering, 0});
    EXPECT_NE(status.parked.find("broke a law"), std::string::npos) << status.parked;
    EXPECT_EQ(status.position, 2U);
    next.check();
    next.stop();
    // A marker of another build counts no more.
    std::ofstream(marker) << "0.0.0-other 1 a law\n";
    EXPECT_DEATH(
        {
          if (next.start().ok()) next.settle();
        },
        "a law of the toy is broken");
    std::filesystem::remove(marker);
  }
}

TEST(Runtime, AFailureForGoodIsToldOnce) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  for (const auto topic : {Topic::allocations, Topic::ledger, Topic::billing})
    for (std::uint16_t p = 0; p < 2; ++p)
      ledger.journal.fail_next_append(ToyLedger::partition(topic, p), journal::MemoryJournal::Fault::before_write,
                                      {ErrorCode::io_error, "the disk is gone"});
  for (int n = 0; n < 20; ++n) ledger.usage("u" + std::to_string(n), project(n), n);
  Error error;
  ASSERT_TRUE(ledger.wait_fatal(error));
  EXPECT_EQ(error.code, ErrorCode::io_error);
  EXPECT_NE(error.message.find("metering-"), std::string::npos) << error.message;
  ledger.stop();
  EXPECT_EQ(ledger.fatal_calls(), 1U);
  ASSERT_TRUE(ledger.start().ok());
  ledger.journal.crash();  // the other orders are forgotten
  ledger.stop();
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.check();
}

TEST(Runtime, AStoreThatFailsStopsTheProcessAndLosesNothing) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  ledger.usage("u", "p-a", 1);
  ASSERT_TRUE(ledger.settle());
  const Shard allocation{MachineKind::allocation, proof::shard_of({"p-a"}, 2)};
  ledger.store(allocation).fail_next_commit({ErrorCode::out_of_space, "full"});
  ledger.usage("v", "p-a", 2);
  Error error;
  ASSERT_TRUE(ledger.wait_fatal(error));
  EXPECT_EQ(error.code, ErrorCode::out_of_space);
  ledger.crash([](const Shard&) { return 0U; });
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.check();
}

}  // namespace
}  // namespace granary::test
