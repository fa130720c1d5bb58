#include "shared/fold/lanes_in.h"

#include <algorithm>

#include "shared/fold/packet.h"
#include "shared/proof/hash.h"

namespace granary::runtime {

LanesIn::LanesIn(const Ledger& ledger, MachineKind machine, std::uint16_t shard) : inbox_(machine::inbox_of(machine)) {
  for (const MachineKind writer : machine::writers_of(inbox_, *ledger.topology))
    for (std::uint16_t i = 0; i < machine::shards_of(writer, ledger.partitions); ++i)
      lanes_[{writer, i}].hash = chain_start(ledger.id, writer, i, inbox_, shard);
}

void LanesIn::open(const store::View& whole) {
  whole.scan(kInLaneKey, prefix_end(kInLaneKey), [this](BytesView key, BytesView value) {
    const auto row = decode_row<LaneRow>(value);
    lanes_[{static_cast<MachineKind>(key[2]), read_u16(key.substr(3))}] = {
        row.number, hash_from(row.hash).value_or(Hash32{}), row.completed, false};
    return true;
  });
}

LanesIn::Lane* LanesIn::find(MachineKind machine, std::uint16_t shard) {
  const auto found = lanes_.find({machine, shard});
  return found == lanes_.end() ? nullptr : &found->second;
}

const LanesIn::Lane* LanesIn::find(MachineKind machine, std::uint16_t shard) const {
  const auto found = lanes_.find({machine, shard});
  return found == lanes_.end() ? nullptr : &found->second;
}

void LanesIn::advance(Lane& lane, BytesView event) {
  lane.hash = proof::chain(lane.hash, event);
  ++lane.folded;
  lane.is_changed = true;
}

Instant LanesIn::complete(Instant now) const {
  for (const auto& [name, lane] : lanes_)
    if (machine::counts_for_complete(name.first, inbox_)) now = std::min(now, lane.completed);
  return now;
}

void LanesIn::flush(store::WriteSet& rows) {
  for (auto& [name, lane] : lanes_) {
    if (!lane.is_changed) continue;
    lane.is_changed = false;
    rows.put(lane_key(kInLaneKey, static_cast<std::uint8_t>(name.first), name.second),
             encode_row(LaneRow{lane.folded, Bytes(view_of(lane.hash)), lane.completed}));
  }
}

void LanesIn::describe(events::Checkpoint& checkpoint) const {
  for (const auto& [name, lane] : lanes_)
    checkpoint.lanes.push_back({name.first, name.second, lane.folded + 1, Bytes(view_of(lane.hash))});
}

}  // namespace granary::runtime
