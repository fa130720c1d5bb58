// One shard's fold: lanes, parking, refusals, ticks. Where commits fall: cuts_test.cc.
#include <gtest/gtest.h>

#include "tests/unit/runtime/fold_harness.h"

namespace granary::test {
namespace {

using runtime::state_digest;
using Step = Fold::Step;

constexpr std::int64_t kFiveMinutes = 5 * units::kMinuteMs;

// Allocation's shard 0 with a lane of metering's shard 1 that leads to it.
class FoldLane : public ::testing::Test {
 protected:
  FoldLane() {
    for (std::int64_t n = 1; n <= 6; ++n) {
      lane.say(toy_metered(std::to_string(n), "p-a", n));
      forked.say(toy_metered(std::to_string(n), "p-a", n == 2 ? 200 : n));
    }
  }
  std::int64_t total() { return amount_of(harness.toy().sum("p-a")); }
  [[nodiscard]] const Fold::Counters& counters() const { return harness.fold->counters(); }

  FoldHarness harness{MachineKind::allocation};
  LaneWriter lane{MachineKind::metering, 1};
  LaneWriter forked{MachineKind::metering, 1};
};

TEST_F(FoldLane, ARepeatIsDropped) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(harness.take(lane.packet(1, 3)), Step::folded);
  EXPECT_EQ(total(), 6);
  EXPECT_EQ(counters().repeats_dropped, 6U);
  EXPECT_EQ(counters().lane_alarms, 0U);
  EXPECT_EQ(harness.fold->position(), 3U);
  EXPECT_EQ(harness.fold->folded_from(MachineKind::metering, 1), 3U);
}

TEST_F(FoldLane, APacketCutOtherwiseIsTakenFromItsFirstNewEventOn) {
  harness.take(lane.packet(1, 2));
  harness.take(lane.packet(1, 4));
  harness.take(lane.packet(3, 3));
  harness.take(lane.packet(4, 6));
  EXPECT_EQ(total(), 21);
  EXPECT_EQ(counters().repeats_dropped, 4U);
  EXPECT_EQ(counters().lane_alarms, 0U);
}

TEST_F(FoldLane, APacketBehindAGapIsDroppedWholeWithAnAlarm) {
  harness.take(lane.packet(1, 2));
  EXPECT_EQ(harness.take(lane.packet(4, 6)), Step::folded);
  EXPECT_EQ(total(), 3);
  EXPECT_EQ(counters().lane_alarms, 1U);
  harness.take(lane.packet(3, 6));  // the writer sends what is missing
  EXPECT_EQ(total(), 21);
  EXPECT_EQ(counters().lane_alarms, 1U);
}

TEST_F(FoldLane, APacketOfAnotherTruthIsDroppedWholeWithAnAlarm) {
  harness.take(lane.packet(1, 3));
  harness.take(forked.packet(4, 6));
  harness.take(forked.packet(1, 6));
  harness.take(forked.packet(1, 3));  // nothing new in it, and still another truth
  EXPECT_EQ(total(), 6);
  EXPECT_EQ(counters().lane_alarms, 3U);
  EXPECT_EQ(counters().repeats_dropped, 0U);
  harness.take(lane.packet(4, 6));
  EXPECT_EQ(total(), 21);
}

TEST_F(FoldLane, TheLaneIsWhereItWasAfterARestart) {
  harness.take(lane.packet(1, 3));
  harness.commit();
  harness.open();
  EXPECT_EQ(harness.fold->position(), 1U);
  harness.take(forked.packet(4, 4));
  harness.take(lane.packet(2, 4));
  EXPECT_EQ(total(), 10);
  EXPECT_EQ(counters().lane_alarms, 1U);
}

TEST_F(FoldLane, ALaneThatDoesNotLeadHereIsRefused) {
  LaneWriter stray(MachineKind::billing, 0);
  stray.say(toy_fact(1));
  LaneWriter beyond(MachineKind::metering, kPartitions);
  beyond.say(toy_fact(1));
  EXPECT_EQ(harness.take(stray.packet(1, 1)), Step::folded);
  EXPECT_EQ(harness.take(beyond.packet(1, 1)), Step::folded);
  harness.commit();
  const LaneTarget rejected{Topic::rejected, machine::shard_partition(MachineKind::allocation, 0, kPartitions)};
  const auto refused = harness.sent_to<events::RecordRefused>(rejected);
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[1].reason, "malformed");
  EXPECT_EQ(refused[1].offset, 1U);
  EXPECT_EQ(refused[1].topic, "granary.allocations.v1");
  EXPECT_EQ(refused[1].substance_sha256, to_hex(view_of(proof::sha256(beyond.packet(1, 1)))));
  EXPECT_EQ(counters().lane_alarms, 2U);
}

TEST_F(FoldLane, ACutPacketIsRefusedWhole) {
  Bytes record = lane.packet(1, 3);
  record.pop_back();
  EXPECT_EQ(harness.take(record), Step::folded);
  EXPECT_EQ(total(), 0);
  EXPECT_EQ(counters().refusals, 1U);
  harness.take(lane.packet(1, 3));
  EXPECT_EQ(total(), 6);
}

// Whatever the fold does with a record, it must do with the whole of it: where it parks, state, lanes and time are
// those of the position that it names.
class FoldParks : public FoldLane {
 protected:
  void parks(const Bytes& record) {
    harness.take(lane.packet(1, 3));
    harness.commit();
    const Hash32 before = state_digest(harness.store);
    const auto sent = harness.sent.size();
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(harness.take(record), Step::parked);
      EXPECT_FALSE(harness.fold->park_reason().empty());
      EXPECT_EQ(harness.fold->position(), 1U);
    }
    harness.commit();
    EXPECT_EQ(state_digest(harness.store), before);
    EXPECT_EQ(harness.sent.size(), sent);
    EXPECT_EQ(harness.fold->folded_from(MachineKind::metering, 1), 3U);
    // A build that knows the record would fold it; here another one takes its place.
    harness.open();
    harness.take(lane.packet(4, 6));
    EXPECT_EQ(total(), 21);
  }
};

TEST_F(FoldParks, AtAKindThatItDoesNotKnow) {
  parks(Bytes("\x51rest"));
}
TEST_F(FoldParks, AtAVersionThatItDoesNotKnow) {
  Bytes record = toy_tick(5);
  record[0] = '\x22';
  parks(record);
}
TEST_F(FoldParks, AtAnEmptyRecord) {
  parks(Bytes());
}
TEST_F(FoldParks, AtARawEventOfAnUnknownType) {
  parks(toy_raw("x", unknown_event()));
}
TEST_F(FoldParks, AtAnUnknownEventInTheMiddleOfAPacket) {
  LaneWriter newer = lane;
  LaneWriter mixed(MachineKind::metering, 1);
  for (std::int64_t n = 1; n <= 4; ++n) mixed.say(toy_metered(std::to_string(n), "p-a", n));
  mixed.say_bytes(unknown_event());
  mixed.say(toy_metered("6", "p-a", 6));
  parks(mixed.packet(2, 6));
}
TEST_F(FoldParks, AtAnEventOfAKnownTypeThatDoesNotDecode) {
  LaneWriter mixed(MachineKind::metering, 1);
  for (std::int64_t n = 1; n <= 4; ++n) mixed.say(toy_metered(std::to_string(n), "p-a", n));
  Bytes payload;
  codec::encode(toy_metered("5", "p-a", 5), payload);
  codec::put_varint(payload, 99 << 3);
  payload.push_back('\1');
  Bytes with_new_field;
  codec::put_varint(with_new_field, static_cast<std::uint64_t>(events::kType<events::UsageMetered>) << 3 | 2);
  codec::put_varint(with_new_field, payload.size());
  with_new_field += payload;
  mixed.say_bytes(with_new_field);
  parks(mixed.packet(4, 5));
}

TEST(FoldRaw, CountsOnceByIdentityAndRefusesByName) {
  FoldHarness harness(MachineKind::metering, 1);
  harness.take(toy_usage("1", "p-a", 10));
  harness.take(toy_usage("1", "p-a", 10));
  harness.take(toy_usage("1", "p-a", 11));
  harness.take(toy_usage("2", "nobody", 5));
  harness.take(toy_usage("3", "p-a", 7));
  harness.commit();
  EXPECT_EQ(amount_of(harness.toy().sum("p-a")), 17);
  const LaneTarget rejected{Topic::rejected, machine::shard_partition(MachineKind::metering, 1, kPartitions)};
  const auto refused = harness.sent_to<events::RecordRefused>(rejected);
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].reason, "conflicting_duplicate");
  EXPECT_EQ(refused[0].source, "toy");
  EXPECT_EQ(refused[0].id, "1");
  EXPECT_EQ(refused[0].partition, 1U);
  EXPECT_EQ(refused[0].offset, 2U);
  EXPECT_EQ(refused[0].type, "granary.usage.reported.v1");
  EXPECT_EQ(refused[1].reason, "toy_refuses");
  EXPECT_EQ(refused[1].field, "/project");
  using machine::Judgement;
  const Judgement judged[] = {Judgement::accepted, Judgement::repeat, Judgement::refused, Judgement::refused,
                              Judgement::accepted};
  for (std::uint64_t offset = 0; offset < 5; ++offset) {
    ASSERT_TRUE(harness.fold->outcome_of(offset));
    EXPECT_EQ(harness.fold->outcome_of(offset)->judgement, judged[offset]);
  }
  EXPECT_FALSE(harness.fold->outcome_of(5));
}

TEST(FoldRaw, BytesThatAreNoRecordAreRefusedAndHashedAsTheyStand) {
  FoldHarness harness(MachineKind::metering);
  const std::vector<Bytes> wrong{Bytes("\x31 no raw event"), toy_raw("1", "no substance"), Bytes("\x21\xff"),
                                 toy_raw("1", Bytes("\x0f"))};
  for (const Bytes& record : wrong) EXPECT_EQ(harness.take(record), Step::folded);
  harness.commit();
  const LaneTarget rejected{Topic::rejected, machine::shard_partition(MachineKind::metering, 0, kPartitions)};
  const auto refused = harness.sent_to<events::RecordRefused>(rejected);
  ASSERT_EQ(refused.size(), wrong.size());
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_EQ(refused[i].reason, "malformed");
    EXPECT_EQ(refused[i].offset, i);
    EXPECT_EQ(refused[i].substance_sha256, to_hex(view_of(proof::sha256(wrong[i]))));
  }
  EXPECT_EQ(harness.fold->counters().refusals, wrong.size());
}

// A field or a value of a newer build is no refusal: it would stand for ever, and the usage would be lost.
TEST(FoldRaw, WhatANewerBuildWroteParksAndLeavesNothingBehind) {
  FoldHarness harness(MachineKind::metering);
  events::UsageReported usage;
  usage.project = "p";
  usage.resources = {{"gpu", units::Quantity(1), {}, ""}};
  Bytes substance;
  events::encode_event(usage, substance);
  ASSERT_LT(substance.size(), 100U) << "the length at its third byte is one byte";
  substance[2] = static_cast<char>(substance[2] + 3);
  substance += "\xa0\x06\x01";  // field 100
  EXPECT_EQ(harness.take(toy_raw("1", substance)), Step::parked);
  EXPECT_NE(harness.fold->park_reason().find("does not know"), std::string::npos);
  harness.commit();
  EXPECT_EQ(harness.fold->position(), 0U);
  const LaneTarget rejected{Topic::rejected, machine::shard_partition(MachineKind::metering, 0, kPartitions)};
  EXPECT_TRUE(harness.sent_to<events::RecordRefused>(rejected).empty());
  // The envelope and a tick likewise.
  FoldHarness of_envelope(MachineKind::metering);
  EXPECT_EQ(of_envelope.take(toy_raw("1", Bytes("x")) + "\xa0\x06\x01"), Step::parked);
  FoldHarness of_tick(MachineKind::metering);
  EXPECT_EQ(of_tick.take(toy_tick(1000) + "\xa0\x06\x01"), Step::parked);
}

TEST(FoldTicks, OnlyOneThatAdvancesChangesAnything) {
  FoldHarness harness(MachineKind::intake);
  harness.take(toy_tick(1000));
  harness.commit();
  const Hash32 before = state_digest(harness.store);
  harness.take(toy_tick(1000));
  harness.take(toy_tick(999));
  harness.commit();
  EXPECT_EQ(state_digest(harness.store), before);
  EXPECT_EQ(harness.toy().clock().ticks, 1U);
  harness.take(toy_tick(1001));
  EXPECT_EQ(harness.toy().clock().ticks, 2U);
  EXPECT_EQ(harness.fold->now().ms(), 1001);
}

TEST(FoldTicks, CompletedGoesOutAtWholeFiveMinutes) {
  FoldHarness harness(MachineKind::intake);
  for (const std::int64_t at : {kFiveMinutes - 1, kFiveMinutes, kFiveMinutes + 1, 2 * kFiveMinutes - 1,
                                4 * kFiveMinutes + 10, 4 * kFiveMinutes + 20})
    harness.take(toy_tick(at));
  harness.commit();
  for (const Topic topic : {Topic::usage, Topic::allocations, Topic::ledger}) {
    for (std::uint16_t partition = 0; partition < kPartitions; ++partition) {
      const auto completed = harness.sent_to<events::LaneCompleted>({topic, partition});
      ASSERT_EQ(completed.size(), 2U);
      EXPECT_EQ(completed[0].instant.ms(), kFiveMinutes);
      EXPECT_EQ(completed[1].instant.ms(), 4 * kFiveMinutes);
    }
  }
  EXPECT_TRUE(harness.events_to({Topic::applications, 0}).empty());
}

// Metering's shards are complete as far as intake said, and pass on no more than that; allocation is as complete as the
// slowest of all lanes that lead to it.
TEST(FoldTicks, CompleteIsTheSlowestOfNowAndAllLanes) {
  FoldHarness allocation(MachineKind::allocation);
  allocation.take(toy_tick(10 * kFiveMinutes));
  EXPECT_EQ(allocation.fold->complete().ms(), 0);
  LaneWriter intake(MachineKind::intake);
  intake.say(events::LaneCompleted{units::Instant(9 * kFiveMinutes)});
  LaneWriter first(MachineKind::metering, 0);
  first.say(events::LaneCompleted{units::Instant(20 * kFiveMinutes)});
  first.say(events::LaneCompleted{units::Instant(19 * kFiveMinutes)});
  LaneWriter second(MachineKind::metering, 1);
  second.say(events::LaneCompleted{units::Instant(7 * kFiveMinutes)});
  second.say(events::LaneCompleted{units::Instant(30 * kFiveMinutes)});
  allocation.take(intake.packet(1, 1));
  allocation.take(first.packet(1, 2));
  EXPECT_EQ(allocation.fold->complete().ms(), 0);
  allocation.take(second.packet(1, 1));
  EXPECT_EQ(allocation.fold->complete().ms(), 7 * kFiveMinutes);
  allocation.take(second.packet(2, 2));
  EXPECT_EQ(allocation.fold->complete().ms(), 9 * kFiveMinutes);
  allocation.take(toy_tick(11 * kFiveMinutes));
  allocation.commit();
  // What it says to the next is what it knows; and a restart knows the same.
  EXPECT_EQ(allocation.sent_to<events::LaneCompleted>({Topic::ledger, 1}).back().instant.ms(), 9 * kFiveMinutes);
  EXPECT_EQ(allocation.toy().clock().complete.ms(), 9 * kFiveMinutes);
  allocation.open();
  EXPECT_EQ(allocation.fold->complete().ms(), 9 * kFiveMinutes);
  intake.say(events::LaneCompleted{units::Instant(40 * kFiveMinutes)});
  allocation.take(intake.packet(2, 2));
  EXPECT_EQ(allocation.fold->complete().ms(), 11 * kFiveMinutes) << "never beyond now";
}

// After a loss of state: what stands in a target is folded and not sent again, and must be the same.
TEST(FoldStanding, IsNotSentAgain) {
  FoldHarness first(MachineKind::metering);
  for (int n = 1; n <= 6; ++n) first.take(toy_usage(std::to_string(n), "p-a", n));
  first.commit();
  const LaneTarget target{Topic::allocations, proof::shard_of({"p-a"}, kPartitions)};
  const auto all = first.events_to(target);
  ASSERT_EQ(all.size(), 6U);
  Hash32 hash{};
  for (int n = 0; n < 4; ++n) hash = proof::chain(hash, all[static_cast<std::size_t>(n)]);
  for (const bool same : {true, false}) {
    FoldHarness again(MachineKind::metering);
    again.fold->set_standing(target, {4, same ? hash : Hash32{1}});
    for (int n = 1; n <= 6; ++n) {
      again.take(toy_usage(std::to_string(n), "p-a", n));
      if (n % 3 == 0) again.commit();
    }
    EXPECT_EQ(again.fold->counters().diverged, !same);
    ASSERT_EQ(again.sent.size(), 1U);
    EXPECT_EQ(again.sent[0].first, 5U);
    EXPECT_EQ(again.sent[0].last, 6U);
    EXPECT_EQ(again.fold->out_lanes().at(target).hash, first.fold->out_lanes().at(target).hash);
  }
}

}  // namespace
}  // namespace granary::test
