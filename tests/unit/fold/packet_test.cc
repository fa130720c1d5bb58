#include <gtest/gtest.h>

#include "shared/journal/journal.h"
#include "tests/unit/fold/fold_harness.h"

namespace granary::test {
namespace {

using runtime::join;
using runtime::Joint;
using runtime::PacketBuilder;
using runtime::PacketView;

TEST(Packet, ComesOutAsItWentIn) {
  LaneWriter lane(MachineKind::metering, 7);
  lane.say(toy_fact(1));
  lane.say(toy_fact(2));
  lane.say(toy_fact(3));
  const Bytes record = lane.packet(2, 3);
  EXPECT_EQ(events::kind_of(record), events::RecordKind::packet);
  auto view = PacketView::parse(events::body_of(record));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->machine, MachineKind::metering);
  EXPECT_EQ(view->shard, 7);
  EXPECT_EQ(view->first, 2U);
  EXPECT_EQ(view->before, lane.hash(1));
  events::EventDecoder decoder;
  for (const std::uint64_t records : {2U, 3U}) {
    const auto event = view->next();
    ASSERT_TRUE(event);
    ASSERT_EQ(decoder.decode(*event), events::DecodeResult::ok);
    EXPECT_EQ(std::get<events::SourceCompleted>(decoder.event()).records, records);
  }
  EXPECT_EQ(view->first, 4U);
  EXPECT_FALSE(view->next());
}

TEST(Packet, IsTheMessageOfTheVocabulary) {
  LaneWriter lane(MachineKind::intake);
  lane.say(toy_fact(1));
  events::Packet message;
  ASSERT_TRUE(codec::decode(events::body_of(lane.packet(1, 1)), message));
  EXPECT_EQ(message.events.size(), 1U);
  EXPECT_EQ(events::encode_record(kTestLedger, message), lane.packet(1, 1));
}

TEST(Packet, TakesEventsUpToTheSizeOfARecordAndNoByteMore) {
  PacketBuilder builder;
  builder.start(kTestLedger, MachineKind::metering, 1023, ~std::uint64_t{0} - 10, Hash32{1});
  const Bytes event(500, 'e');
  std::size_t count = 0;
  for (; builder.fits(event); ++count) builder.add(event);
  EXPECT_EQ(builder.last(), builder.first() + count - 1);
  const Bytes record = builder.take();
  EXPECT_LE(record.size(), journal::kRecordBytesMax);
  EXPECT_GT(record.size() + event.size() + 6, journal::kRecordBytesMax);

  PacketBuilder alone;
  alone.start(kTestLedger, MachineKind::intake, 0, 1, Hash32{1});
  Bytes large(journal::kRecordBytesMax, 'e');
  EXPECT_FALSE(alone.fits(large));
  while (!alone.fits(large)) large.pop_back();
  alone.add(large);
  const Bytes largest = alone.take();
  EXPECT_LE(largest.size(), journal::kRecordBytesMax);
  EXPECT_TRUE(PacketView::parse(events::body_of(largest)));
}

// Cut short or with something behind it, a packet is none: not its first events and then a surprise.
TEST(Packet, IsReadWholeOrNotAtAll) {
  LaneWriter lane(MachineKind::intake, 1);
  lane.say(toy_fact(1));
  lane.say(toy_fact(2));
  const Bytes record = lane.packet(1, 2);
  const BytesView body = events::body_of(record);
  ASSERT_TRUE(PacketView::parse(body));
  const Bytes one = lane.packet(1, 1);
  for (std::size_t size = 0; size < body.size(); ++size) {
    if (size == one.size() - events::kFrontBytes) continue;  // there it is the packet of the first event alone
    EXPECT_FALSE(PacketView::parse(body.substr(0, size))) << size;
  }
  for (const Bytes& tail : {Bytes("x"), Bytes(1, '\0'), Bytes("\x2a"), Bytes("\x2a\x05", 2), Bytes("\x08\x01")})
    EXPECT_FALSE(PacketView::parse(Bytes(body) + tail)) << to_hex(tail);
}

TEST(Packet, WithoutANumberAHashOrAnEventIsNone) {
  const events::Packet good{MachineKind::intake, 0, 1, Bytes(32, '\0'), {"e"}};
  const auto parses = [](const events::Packet& packet) {
    return PacketView::parse(events::body_of(events::encode_record(kTestLedger, packet))).has_value();
  };
  EXPECT_TRUE(parses(good));
  events::Packet packet = good;
  packet.first = 0;
  EXPECT_FALSE(parses(packet));
  packet = good;
  packet.before.pop_back();
  EXPECT_FALSE(parses(packet));
  packet = good;
  packet.events.clear();
  EXPECT_FALSE(parses(packet));
  packet = good;
  packet.shard = 0x10000;
  EXPECT_FALSE(parses(packet));
}

TEST(Packet, JoinsALaneOnlyWhereItGoesOnFromTheSameEvents) {
  LaneWriter lane(MachineKind::intake);
  LaneWriter other(MachineKind::intake);
  for (std::uint64_t n = 1; n <= 6; ++n) {
    lane.say(toy_fact(n));
    other.say(toy_fact(n == 3 ? 30 : n));
  }
  const auto joint = [&lane](const Bytes& record, std::uint64_t first_left) {
    auto view = PacketView::parse(events::body_of(record));
    const Joint result = join(*view, 3, lane.hash(3));
    if (result == Joint::next) {
      EXPECT_EQ(view->first, first_left);
    }
    return result;
  };
  EXPECT_EQ(joint(lane.packet(4, 6), 4), Joint::next);
  EXPECT_EQ(joint(lane.packet(2, 6), 4), Joint::next);
  EXPECT_EQ(joint(lane.packet(1, 3), 4), Joint::next);
  EXPECT_EQ(joint(lane.packet(1, 2), 0), Joint::old);
  EXPECT_EQ(joint(lane.packet(5, 6), 0), Joint::gap);
  EXPECT_EQ(joint(other.packet(4, 6), 0), Joint::other);
  EXPECT_EQ(joint(other.packet(1, 3), 0), Joint::other);
  EXPECT_EQ(joint(other.packet(1, 2), 0), Joint::old);
}

}  // namespace
}  // namespace granary::test
