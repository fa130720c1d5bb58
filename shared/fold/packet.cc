#include "shared/fold/packet.h"

#include "shared/journal/journal.h"
#include "shared/proof/hash.h"

namespace granary::runtime {
namespace {

constexpr std::uint64_t kEventsKey = 5 << 3 | 2;  // Packet.events
// What an event takes beside its own bytes: its key, and its size as a varint of at most 5 bytes (32 bits).
constexpr std::size_t kFramingBytesMax = 1 + 5;

}  // namespace

Hash32 chain_start(const Id16& ledger, events::MachineKind machine, std::uint16_t shard, events::Topic topic,
                   std::uint16_t partition) {
  Bytes from;
  append_u16(from, shard);
  Bytes to;
  append_u16(to, partition);
  return proof::sha256_of_parts({view_of(ledger), codec::enum_name(machine), from, events::topic_name(topic), to});
}

void PacketBuilder::start(const Id16& ledger, events::MachineKind machine, std::uint16_t shard, std::uint64_t first,
                          const Hash32& before) {
  events::Packet header;
  header.machine = machine;
  header.shard = shard;
  header.first = first;
  header.before.assign(view_of(before));
  bytes_ = events::encode_record(ledger, header);
  first_ = first;
  count_ = 0;
}

bool PacketBuilder::fits(BytesView event) const {
  return bytes_.size() + event.size() + kFramingBytesMax <= journal::kRecordBytesMax;
}

void PacketBuilder::add(BytesView event) {
  codec::put_varint(bytes_, kEventsKey);
  codec::put_varint(bytes_, event.size());
  bytes_.append(event);
  ++count_;
}

codec::Read PacketView::read(BytesView body, PacketView& view) {
  // The events are the last field that this build knows, so what comes before them is a packet without events, in the
  // canonical encoding. A newer build's fields may follow them.
  BytesView rest = body;
  BytesView header = body;
  while (!rest.empty()) {
    const BytesView at = rest;
    std::uint64_t key = 0;
    std::uint64_t number = 0;
    BytesView bytes;
    if (!codec::take_varint(rest, key)) return codec::Read::malformed;
    if (key == kEventsKey) {
      header = body.substr(0, body.size() - at.size());
      rest = at;
      break;
    }
    if ((key & 7) == 0 ? !codec::take_varint(rest, number) : !codec::take_bytes(rest, bytes))
      return codec::Read::malformed;
  }
  events::Packet packet;
  const codec::Read form = codec::read_message(header, packet);
  if (form != codec::Read::ok) return form;
  if (packet.before.size() != 32 || packet.first == 0 || packet.shard > 0xffff || rest.empty())
    return codec::Read::malformed;
  view.machine = packet.machine;
  view.shard = static_cast<std::uint16_t>(packet.shard);
  view.first = packet.first;
  view.before = *hash_from(packet.before);
  view.rest = rest;
  PacketView ahead = view;
  while (ahead.next()) {
  }
  if (ahead.rest.empty()) return codec::Read::ok;
  events::Packet whole;
  return codec::read_message(body, whole) == codec::Read::newer ? codec::Read::newer : codec::Read::malformed;
}

std::optional<PacketView> PacketView::parse(BytesView body) {
  PacketView view;
  if (read(body, view) != codec::Read::ok) return std::nullopt;
  return view;
}

std::optional<BytesView> PacketView::next() {
  if (rest.empty()) return std::nullopt;
  BytesView in = rest;
  std::uint64_t key = 0;
  BytesView event;
  if (!codec::take_varint(in, key) || key != kEventsKey || !codec::take_bytes(in, event)) return std::nullopt;
  rest = in;
  ++first;
  return event;
}

Joint join(PacketView& packet, std::uint64_t folded, const Hash32& hash) {
  if (packet.first > folded + 1) return Joint::gap;
  Hash32 carried = packet.before;
  while (packet.first <= folded) {
    const auto event = packet.next();
    if (!event) return Joint::old;
    carried = proof::chain(carried, *event);
  }
  return carried == hash ? Joint::next : Joint::other;
}

}  // namespace granary::runtime
