// A shard's troubles are lines that say where: parked, refused, off its lane, a target that does not answer.
#include <gtest/gtest.h>

#include "shared/fold/packet.h"
#include "shared/json/strict_json.h"
#include "tests/support/log_lines.h"
#include "tests/support/toy_ledger.h"

namespace granary::test {
namespace {

using machine::MachineKind;
using machine::Topic;
using runtime::Place;
using testing_support::LogLines;

std::string member(const std::string& line, std::string_view name) {
  const auto parsed = json::parse(line);
  EXPECT_TRUE(parsed.ok()) << line;
  const json::Value* value = parsed.ok() ? parsed->find(name) : nullptr;
  if (value == nullptr) return {};
  return value->is(json::Kind::string) ? value->string() : value->number_text();
}

void expect_at(const std::string& line, std::string_view level, std::string_view machine, const Place& place) {
  EXPECT_EQ(member(line, "level"), level);
  EXPECT_EQ(member(line, "topic"), machine::topic_name(place.topic));
  EXPECT_EQ(member(line, "partition"), std::to_string(place.partition));
  EXPECT_EQ(member(line, "position"), std::to_string(place.offset));
  EXPECT_EQ(member(line, "machine"), machine);
  EXPECT_EQ(member(line, "shard"), std::to_string(place.partition));
}

TEST(ShardLog, AParkedPartitionIsAnErrorWithItsPositionToldOnce) {
  const LogLines log;
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  const Place unknown = ledger.append(Topic::usage, 1, toy_newer(0x72));
  ASSERT_TRUE(ledger.settle());
  ledger.tick(units::kHourMs);
  ASSERT_TRUE(ledger.settle());
  const auto lines = log.of("partition_parked");
  ASSERT_EQ(lines.size(), 1U);
  expect_at(lines.front(), "error", "metering", unknown);
  EXPECT_NE(member(lines.front(), "cause").find("kind or version"), std::string::npos) << lines.front();
}

TEST(ShardLog, ARefusedRecordIsInfoWithItsPositionAndAFloodIsCounted) {
  const LogLines log;
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  const Place refused = ledger.append(Topic::usage, 0, toy_usage(id_in(0, "re\"fused"), "nobody", 1));
  ASSERT_TRUE(ledger.settle());
  const auto lines = log.of("record_refused");
  ASSERT_EQ(lines.size(), 1U);
  expect_at(lines.front(), "info", "metering", refused);
  EXPECT_EQ(member(lines.front(), "cause"), "toy_refuses");
  EXPECT_EQ(member(lines.front(), "id"), id_in(0, "re\"fused"));
  EXPECT_NE(member(lines.front(), "source"), "");

  constexpr std::uint64_t kFlood = 2000;
  for (std::uint64_t n = 0; n < kFlood; ++n)
    ledger.append(Topic::usage, 0, toy_usage(id_in(0, "flood" + std::to_string(n) + "-"), "nobody", 1));
  ASSERT_TRUE(ledger.settle());
  const auto status = ledger.status({MachineKind::metering, 0});
  EXPECT_EQ(status.refusals, kFlood + 1);
  EXPECT_EQ(status.refusals_by_name.at("toy_refuses"), kFlood + 1);
  EXPECT_LT(log.of("record_refused").size(), kFlood / 2);
}

TEST(ShardLog, APacketThatDoesNotJoinIsAnErrorThatNamesWhatWasExpected) {
  const LogLines log;
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  runtime::PacketBuilder packet;
  packet.start(kTestLedger, MachineKind::metering, 1, 7, Hash32{});
  packet.add("an event");
  const Place alarmed = ledger.append(Topic::allocations, 1, packet.take());
  ASSERT_TRUE(ledger.settle());
  const auto lines = log.of("lane_alarm");
  ASSERT_EQ(lines.size(), 1U);
  expect_at(lines.front(), "error", "allocation", alarmed);
  EXPECT_EQ(member(lines.front(), "cause"), "expected event 1 of metering shard 1, got a packet from event 7 on");
}

TEST(ShardLog, ATargetThatFailsForAWhileIsAWarning) {
  const LogLines log;
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  const auto target = ToyLedger::partition(Topic::allocations, machine::Router(2).shard_of("p-a"));
  ledger.journal.fail_next_append(target, journal::MemoryJournal::Fault::before_write,
                                  {ErrorCode::unavailable, "no broker"});
  ledger.usage("u", "p-a", 1);
  ASSERT_TRUE(ledger.settle());
  const auto lines = log.of("journal_retried");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(member(lines.front(), "level"), "warn");
  EXPECT_EQ(member(lines.front(), "topic"), target.topic);
  EXPECT_EQ(member(lines.front(), "cause"), "no broker");
  EXPECT_EQ(member(lines.front(), "machine"), "metering");
}

TEST(ShardLog, CommitsAreCountedBySizeAndTime) {
  ToyLedger ledger;
  ASSERT_TRUE(ledger.start().ok());
  for (int n = 1; n <= 50; ++n)
    ledger.append(Topic::usage, 0, toy_usage(id_in(0, "u" + std::to_string(n) + "-"), "p-a", n));
  ledger.append(Topic::usage, 0, toy_usage(id_in(0, "u1-"), "p-a", 1));
  ASSERT_TRUE(ledger.settle());
  const auto status = ledger.status({MachineKind::metering, 0});
  EXPECT_EQ(status.commit_events.count(), status.commits);
  EXPECT_EQ(status.commit_seconds.count(), status.commits);
  EXPECT_DOUBLE_EQ(status.commit_events.sum(), static_cast<double>(status.events));
  EXPECT_GT(status.commit_seconds.sum(), 0);
  EXPECT_GT(status.apply_seconds, 0);
  EXPECT_EQ(status.repeats, 1U);
  EXPECT_EQ(status.outbox_packets, 0U);
  EXPECT_EQ(status.outbox_bytes, 0U);
}

}  // namespace
}  // namespace granary::test
