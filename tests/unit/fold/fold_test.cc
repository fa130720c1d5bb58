// One shard's fold: lanes, parking, refusals, ticks. Where commits fall: cuts_test.cc.
#include <gtest/gtest.h>

#include "shared/events/json.h"
#include "tests/unit/fold/fold_harness.h"

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
  EXPECT_EQ(refused[1].reason, "wrong_partition");
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
  parks(toy_newer(0x61));
}
TEST_F(FoldParks, AtAVersionThatItDoesNotKnow) {
  parks(toy_newer(0x22));
}
// An older build that is started again over the state of a newer one: it must not judge by rules that it does not have.
TEST_F(FoldParks, OverAStateThatGoesByRulesItDoesNotKnow) {
  harness.take(lane.packet(1, 3));
  harness.commit();
  auto place = runtime::decode_row<runtime::PlaceRow>(harness.store.get(runtime::kPlaceKey).value());
  place.rules = events::kRulesNewest + 1;
  store::WriteSet rows;
  rows.put(Bytes(runtime::kPlaceKey), runtime::encode_row(place));
  ASSERT_TRUE(harness.store.commit(rows).ok());
  harness.open();
  EXPECT_EQ(harness.take(lane.packet(4, 6)), Step::parked);
  EXPECT_NE(harness.fold->park_reason().find("rules version 2"), std::string::npos) << harness.fold->park_reason();
  EXPECT_EQ(total(), 6);
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
  harness.take(toy_usage(id_in(1, "1-"), "p-a", 10));
  harness.take(toy_usage(id_in(1, "1-"), "p-a", 10));
  harness.take(toy_usage(id_in(1, "1-"), "p-a", 11));
  harness.take(toy_usage(id_in(1, "2-"), "nobody", 5));
  harness.take(toy_usage(id_in(1, "3-"), "p-a", 7));
  harness.commit();
  EXPECT_EQ(amount_of(harness.toy().sum("p-a")), 17);
  const LaneTarget rejected{Topic::rejected, machine::shard_partition(MachineKind::metering, 1, kPartitions)};
  const auto refused = harness.sent_to<events::RecordRefused>(rejected);
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].reason, "conflicting_duplicate");
  EXPECT_EQ(refused[0].source, "toy");
  EXPECT_EQ(refused[0].id, id_in(1, "1-"));
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

// A site sees which of its agents sends what is refused; who called and who decided stays in the log.
TEST(FoldRaw, ARefusalNamesTheCollectorAndNobodyElse) {
  FoldHarness harness(MachineKind::metering, 1);
  events::Raw raw;
  ASSERT_TRUE(codec::decode(events::body_of(toy_usage(id_in(1, "1-"), "nobody", 5)), raw));
  raw.actor = "operator-17";
  raw.caller = {events::CallerKind::token, "t-7f3a"};
  raw.collector = "slurm-agent/0.4.1";
  harness.take(events::encode_record(kTestLedger, raw));
  harness.take(toy_usage(id_in(1, "2-"), "nobody", 5));
  harness.commit();
  const LaneTarget rejected{Topic::rejected, machine::shard_partition(MachineKind::metering, 1, kPartitions)};
  const auto refused = harness.sent_to<events::RecordRefused>(rejected);
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].collector, "slurm-agent/0.4.1");
  EXPECT_EQ(refused[1].collector, "");
  std::string json;
  events::write_json(refused[0], json);
  for (const char* hidden : {"operator-17", "t-7f3a"}) EXPECT_EQ(json.find(hidden), std::string::npos) << json;
}

// Doors hold texts short; whoever writes beside them must not stop the fold: a refusal has to fit a record.
TEST(FoldRaw, ARefusalLeavesOutTextsThatNoDoorWouldTake) {
  FoldHarness harness(MachineKind::metering, 1);
  events::Raw raw;
  ASSERT_TRUE(codec::decode(events::body_of(toy_usage(id_in(1, "1-"), "nobody", 5)), raw));
  const std::string large(journal::kRecordBytesMax - 200, '\x01');
  for (std::string* text : {&raw.source, &raw.id, &raw.collector}) {
    const std::string before = std::exchange(*text, large);
    const Bytes record = events::encode_record(kTestLedger, raw);
    ASSERT_LE(record.size(), journal::kRecordBytesMax);
    EXPECT_EQ(harness.take(record), Step::folded);
    *text = before;
  }
  harness.commit();
  const LaneTarget rejected{Topic::rejected, machine::shard_partition(MachineKind::metering, 1, kPartitions)};
  const auto refused = harness.sent_to<events::RecordRefused>(rejected);
  ASSERT_EQ(refused.size(), 3U);
  EXPECT_EQ(refused[0].source, "");
  EXPECT_EQ(refused[0].id, raw.id);
  EXPECT_EQ(refused[1].source, "toy");
  EXPECT_EQ(refused[1].id, "");
  EXPECT_EQ(refused[2].id, raw.id);
  EXPECT_EQ(refused[2].collector, "");
}

// What no door writes is refused by name: it would make an event larger than a record, move time out of every range, or
// count a usage twice under two roots.
TEST(FoldRaw, AnEnvelopeThatNoDoorWritesIsRefused) {
  FoldHarness harness(MachineKind::metering, 1);
  events::Raw good;
  ASSERT_TRUE(codec::decode(events::body_of(toy_usage(id_in(1, "1-"), "nobody", 5)), good));
  std::vector<events::Raw> wrong(5, good);
  wrong[0].notes.member.assign(journal::kRecordBytesMax - 1000, 'x');
  wrong[1].recorded_at = units::Instant(std::numeric_limits<std::int64_t>::max());
  wrong[2].root = {good.source, good.id};
  wrong[3].actor.assign(257, 'x');
  wrong[4].caller = {};
  for (const events::Raw& raw : wrong) EXPECT_EQ(harness.take(events::encode_record(kTestLedger, raw)), Step::folded);
  const units::Instant before = harness.fold->now();
  EXPECT_EQ(harness.take(toy_tick(std::numeric_limits<std::int64_t>::max())), Step::folded);
  EXPECT_EQ(harness.fold->now(), before);
  harness.commit();
  const LaneTarget rejected{Topic::rejected, machine::shard_partition(MachineKind::metering, 1, kPartitions)};
  const auto refused = harness.sent_to<events::RecordRefused>(rejected);
  ASSERT_EQ(refused.size(), wrong.size() + 1);
  const char* reasons[] = {"malformed", "time_out_of_range", "malformed", "malformed", "malformed", "malformed"};
  for (std::size_t i = 0; i < refused.size(); ++i) EXPECT_EQ(refused[i].reason, reasons[i]) << i;
}

TEST(FoldRaw, BytesThatAreNoRecordAreRefusedAndHashedAsTheyStand) {
  FoldHarness harness(MachineKind::metering);
  const auto of_kind = [](events::RecordKind kind, const char* body) {
    return events::front_of(kTestLedger, kind) + body;
  };
  const std::vector<Bytes> wrong{of_kind(events::RecordKind::raw, " no raw event"), toy_raw("1", "no substance"),
                                 of_kind(events::RecordKind::tick, "\xff"), toy_raw("1", Bytes("\x0f"))};
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

Bytes raw_of(const std::string& id, const events::Event& event) {
  Bytes substance;
  events::encode_event(event, substance);
  return toy_raw(id, std::move(substance));
}

TEST(FoldRaw, WhatADoorWouldNotTakeIsRefusedByItsName) {
  FoldHarness harness(MachineKind::metering);
  events::UsageReported usage;
  usage.project = "p-a";
  usage.resources = {{"gpu", units::Quantity(1000), {}, ""}};
  usage.start = units::Instant(2000);
  usage.end = units::Instant(1000);
  usage.state = "COMPLETED";
  EXPECT_EQ(harness.take(raw_of(id_in(0, "a"), usage)), Step::folded);
  ASSERT_TRUE(harness.fold->outcome_of(0));
  EXPECT_EQ(harness.fold->outcome_of(0)->reason, "end_before_start");
}

TEST(FoldRaw, WhatHasNoRuleHereParks) {
  FoldHarness harness(MachineKind::intake);
  EXPECT_EQ(harness.take(raw_of("1", events::AccountBound{"aif1", "acc", "p-a", {}, {}})), Step::parked);
  EXPECT_NE(harness.fold->park_reason().find("no rule"), std::string::npos) << harness.fold->park_reason();
  // A machine's own event stands in no inbox as a raw one.
  EXPECT_EQ(harness.take(raw_of("2", toy_fact(1))), Step::parked);
}

TEST(FoldRules, OfANewerBuildParkWhereTheyBegin) {
  FoldHarness begun(MachineKind::intake);
  EXPECT_EQ(begun.take(events::encode_record(
                kTestLedger,
                events::Genesis{kTestLedger, kPartitions, "granary.applications.v1", 0, {}, events::kRulesNewest + 1})),
            Step::parked);
  EXPECT_NE(begun.fold->park_reason().find("rules version"), std::string::npos) << begun.fold->park_reason();
  FoldHarness activated(MachineKind::intake);
  EXPECT_EQ(activated.take(raw_of("1", events::RulesActivated{events::kRulesNewest + 1})), Step::parked);
  EXPECT_NE(activated.fold->park_reason().find("rules version"), std::string::npos) << activated.fold->park_reason();
}

TEST(FoldRules, ThatAreInForceChangeNothingWhenALaneBringsThem) {
  FoldHarness harness(MachineKind::allocation);
  LaneWriter lane(MachineKind::metering);
  lane.say(events::RulesActivated{1});
  EXPECT_EQ(harness.take(lane.packet(1, 1)), Step::folded);
  EXPECT_EQ(harness.fold->rules_version(), 1U);
  EXPECT_EQ(harness.fold->folded_from(MachineKind::metering, 0), 1U);
}

// What stands in an inbox and is not of it: answered, never a reason to stop.
class Stray : public ::testing::TestWithParam<MachineKind> {
 protected:
  Stray() : harness(GetParam()) {}
  // One record of that kind; the reason that it is refused for, empty: it is dropped.
  std::string answer(const Bytes& record) {
    const auto refusals_before = refused().size();
    EXPECT_EQ(harness.take(record), Fold::Step::folded) << harness.fold->park_reason();
    harness.commit();
    const auto now = refused();
    EXPECT_LE(now.size(), refusals_before + 1);
    return now.size() == refusals_before ? "" : now.back().reason;
  }
  std::vector<events::RecordRefused> refused() const {
    return harness.sent_to<events::RecordRefused>(
        {Topic::rejected, machine::shard_partition(GetParam(), 0, kPartitions)});
  }
  FoldHarness harness;
};

TEST_P(Stray, ForeignBytesAreRefused) {
  for (const char* bytes : {"", "{}", "{\"specversion\":\"1.0\"}", "\xf7", "\xf7\x67", "\x21\x08\x05"})
    EXPECT_EQ(answer(bytes), "foreign");
  EXPECT_EQ(harness.fold->position(), 6U);
  EXPECT_EQ(harness.fold->counters().refusals_by_name.at("foreign"), 6U);
}

TEST_P(Stray, AnotherLedgersRecordsAreRefused) {
  Id16 other = kTestLedger;
  other[3] ^= 0xff;
  EXPECT_EQ(answer(events::encode_record(other, events::Tick{units::Instant(5)})), "foreign");
  EXPECT_EQ(answer(events::encode_record(other, events::Genesis{other, kPartitions, "granary.usage.v1", 0, {}, 1})),
            "foreign");
  EXPECT_EQ(harness.fold->now(), units::Instant());
}

TEST_P(Stray, AGenesisRecordThatIsNotTheFirstIsRefused) {
  EXPECT_EQ(answer(toy_tick(5)), "");
  EXPECT_EQ(answer(events::encode_record(kTestLedger,
                                         events::Genesis{kTestLedger, kPartitions, "granary.usage.v1", 0, {}, 1})),
            "foreign");
}

TEST_P(Stray, AnotherPartitionsRawEventsAreRefused) {
  const bool is_metering = GetParam() == MachineKind::metering;
  EXPECT_EQ(answer(toy_usage(id_in(1, "a"), "p-a", 1)), "wrong_partition");
  EXPECT_EQ(answer(toy_usage(id_in(0, "a"), "p-a", 1)), is_metering ? "" : "wrong_partition");
  EXPECT_EQ(answer(toy_stated("s", "key", 1)), GetParam() == MachineKind::intake ? "" : "wrong_partition");
}

// Of a lane that leads to another partition, and of one that leads to another machine.
TEST_P(Stray, AnotherLanesPacketsAreDroppedWithAnAlarm) {
  if (GetParam() == MachineKind::intake) return;  // no lane leads there
  const MachineKind writer = machine::writers_of(machine::inbox_of(GetParam())).front();
  LaneWriter beside(writer, 0, GetParam(), 1);
  beside.say(toy_fact(1));
  beside.say(toy_fact(2));
  EXPECT_EQ(answer(beside.packet(1, 1)), "");
  EXPECT_EQ(answer(beside.packet(2, 2)), "");
  EXPECT_EQ(harness.fold->counters().lane_alarms, 2U);
  LaneWriter elsewhere(MachineKind::billing, 0, GetParam(), 0);
  elsewhere.say(toy_fact(1));
  EXPECT_EQ(answer(elsewhere.packet(1, 1)), "wrong_partition");
  EXPECT_EQ(harness.fold->counters().lane_alarms, 3U);
  LaneWriter own(writer, 0, GetParam(), 0);
  own.say(toy_fact(7));
  EXPECT_EQ(answer(own.packet(1, 1)), "");
  EXPECT_EQ(harness.fold->counters().lane_alarms, 3U);
  EXPECT_EQ(harness.fold->folded_from(writer, 0), 1U);
}

TEST_P(Stray, AnotherLedgersPacketsAreDroppedEvenIfTheCheckBytesAreEqual) {
  if (GetParam() == MachineKind::intake) return;
  Id16 other = kTestLedger;
  other[3] ^= 1;
  other[4] ^= 1;
  ASSERT_EQ(events::check_byte(other), events::check_byte(kTestLedger));
  const MachineKind writer = machine::writers_of(machine::inbox_of(GetParam())).front();
  Bytes event;
  events::encode_event(toy_fact(1), event);
  runtime::PacketBuilder packet;
  packet.start(other, writer, 0, 1, runtime::chain_start(other, writer, 0, machine::inbox_of(GetParam()), 0));
  packet.add(event);
  EXPECT_EQ(answer(packet.take()), "");
  EXPECT_EQ(harness.fold->counters().lane_alarms, 1U);
  EXPECT_EQ(harness.fold->folded_from(writer, 0), 0U);
}

TEST_P(Stray, ANewerBuildsRecordsPark) {
  events::Packet packet;
  packet.machine = MachineKind::intake;
  packet.first = 1;
  packet.before = Bytes(32, 'x');
  packet.events = {unknown_event()};
  const Bytes grown = events::encode_record(kTestLedger, packet) + "\xa0\x06\x01";  // field 100
  for (const Bytes& newer : {toy_newer(0x22), toy_newer(0x61), toy_tick(5) + "\xa0\x06\x01", grown,
                             toy_raw(id_in(0, "a"), unknown_event())}) {
    EXPECT_EQ(harness.take(newer), Fold::Step::parked) << to_hex(newer);
    EXPECT_EQ(harness.fold->position(), 0U);
  }
}

TEST_P(Stray, ACheckpointIsRefused) {
  EXPECT_EQ(answer(events::encode_record(kTestLedger, events::Checkpoint{"t", 0, 1, "h", {}, ""})), "wrong_partition");
}

// Of the vocabulary, but not for doors: only a fault could write it.
TEST_P(Stray, ADerivedEventAsARawOneParks) {
  Bytes substance;
  events::encode_event(toy_metered("1", "p", 1), substance);
  EXPECT_EQ(harness.take(toy_raw("1", substance)), Fold::Step::parked);
  EXPECT_NE(harness.fold->park_reason().find("no door takes"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(InEachInbox, Stray, ::testing::ValuesIn(machine::kMachines),
                         [](const auto& param) { return std::string(machine::machine_name(param.param)); });

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
  for (int n = 1; n <= 6; ++n) first.take(toy_usage(id_in(0, std::to_string(n) + "-"), "p-a", n));
  first.commit();
  const LaneTarget target{Topic::allocations, proof::shard_of({"p-a"}, kPartitions)};
  const auto all = first.events_to(target);
  ASSERT_EQ(all.size(), 6U);
  Hash32 hash = runtime::chain_start(kTestLedger, MachineKind::metering, 0, target.topic, target.partition);
  for (int n = 0; n < 4; ++n) hash = proof::chain(hash, all[static_cast<std::size_t>(n)]);
  for (const bool same : {true, false}) {
    FoldHarness again(MachineKind::metering);
    again.fold->set_standing(target, {4, same ? hash : Hash32{1}});
    for (int n = 1; n <= 6; ++n) {
      again.take(toy_usage(id_in(0, std::to_string(n) + "-"), "p-a", n));
      if (n % 3 == 0) again.commit();
    }
    EXPECT_EQ(again.fold->diverged(), !same);
    ASSERT_EQ(again.sent.size(), 1U);
    EXPECT_EQ(again.sent[0].first, 5U);
    EXPECT_EQ(again.sent[0].last, 6U);
    EXPECT_EQ(again.fold->out_lanes().at(target).hash, first.fold->out_lanes().at(target).hash);
  }
}

}  // namespace
}  // namespace granary::test
