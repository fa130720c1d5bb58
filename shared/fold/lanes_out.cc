#include "shared/fold/lanes_out.h"

#include "shared/base/check.h"
#include "shared/base/probe.h"
#include "shared/fold/outward.h"
#include "shared/proof/hash.h"

namespace granary::runtime {

journal::Partition partition_of(const LaneTarget& target) {
  return {std::string(machine::topic_name(target.topic)), target.partition};
}

std::uint64_t LanesOut::next_number(const LaneTarget& target) const {
  const auto lane = lanes_.find(target);
  return lane == lanes_.end() ? 1 : lane->second.number + 1;
}

std::uint64_t LanesOut::send(const LaneTarget& target, BytesView event) {
  const auto [found, is_new] = lanes_.try_emplace(target);
  LaneCounter& lane = found->second;
  if (is_new) lane.hash = chain_start(ledger_, machine_, shard_, target.topic, target.partition);
  const Hash32 before = lane.hash;
  lane.hash = proof::chain(lane.hash, machine::is_inbox(target.topic) ? event : outward_chained(event, chained_));
  ++lane.number;
  bytes_sent_ += event.size();
  OpenPacket& packet = open_[target];
  if (!packet.is_changed) changed_.push_back(target);
  packet.is_changed = true;
  if (!standing_.empty() && stands_already(target, lane, event)) return lane.number;
  if (!packet.builder.empty() && !packet.builder.fits(event)) {
    GRANARY_PROBE("a packet is full before its commit");
    close_packet(target, packet);
  }
  if (packet.builder.empty()) packet.builder.start(ledger_, machine_, shard_, lane.number, before);
  GRANARY_CHECK(packet.builder.fits(event), "an event is larger than a record: its machine has to cut it");
  packet.builder.add(event);
  return lane.number;
}

bool LanesOut::stands_already(const LaneTarget& target, const LaneCounter& lane, BytesView event) {
  const auto standing = standing_.find(target);
  if (standing == standing_.end() || lane.number > standing->second.number) return false;
  if (lane.number == standing->second.number) {
    diverged_ |= standing->second.hash != (machine::is_inbox(target.topic) ? lane.hash : outward_hash(event));
    GRANARY_PROBE("a fold comes to the last event that a target held already");
    standing_.erase(standing);
  }
  return true;
}

void LanesOut::close_packet(const LaneTarget& target, OpenPacket& packet) {
  const std::uint64_t first = packet.builder.first();
  const std::uint64_t last = packet.builder.last();
  ready_.push_back({target, first, last, packet.builder.take()});
  packet.builder = PacketBuilder();
}

void LanesOut::flush(store::WriteSet& rows, std::vector<OutPacket>& ready) {
  for (const LaneTarget& target : changed_) {
    OpenPacket& packet = open_[target];
    if (!packet.builder.empty()) close_packet(target, packet);
    packet.is_changed = false;
    const LaneCounter& lane = lanes_[target];
    rows.put(lane_key(kOutLaneKey, static_cast<std::uint8_t>(target.topic), target.partition),
             encode_row(LaneRow{lane.number, Bytes(view_of(lane.hash)), {}}));
  }
  changed_.clear();
  for (const OutPacket& packet : ready_) rows.put(outbox_key(packet.target, packet.first), packet.bytes);
  ready = std::move(ready_);
  ready_.clear();
}

}  // namespace granary::runtime
