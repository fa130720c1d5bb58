#include "shared/fold/layout.h"

#include <algorithm>

#include "shared/base/version.h"
#include "shared/fold/packet.h"
#include "shared/proof/hash.h"

namespace granary::runtime {

Bytes lane_key(std::string_view prefix, std::uint8_t kind, std::uint16_t number) {
  Bytes key(prefix);
  append_u8(key, kind);
  append_u16(key, number);
  return key;
}

Bytes acked_key(const LaneTarget& target) {
  Bytes key(kAckedKey);
  append_u8(key, static_cast<std::uint8_t>(target.topic));
  append_u16(key, target.partition);
  return key;
}

StampRow own_stamp(const machine::RowForm& machine) {
  return {machine.format, machine.revision, kRuntimeRows.format, kRuntimeRows.revision, kVersion};
}

Standing standing_of(const store::View& whole, const machine::RowForm& own) {
  Standing standing;
  const auto stamp = whole.get(kStampKey);
  const auto place = whole.get(kPlaceKey);
  if (!stamp && !place) return standing;
  standing.is_empty = false;
  // A newer build may have added fields at the end of both: those that this one knows are filled all the same.
  const auto read = [](const std::optional<Bytes>& row, auto& into) {
    return row ? codec::read_message(*row, into) : codec::Read::malformed;
  };
  const auto stamp_is = read(stamp, standing.stamp);
  if (stamp_is == codec::Read::malformed) standing.stamp = {};
  const auto rows = judge(own, standing.stamp.format, standing.stamp.revision);
  const auto runtime_rows = judge(kRuntimeRows, standing.stamp.runtime_format, standing.stamp.runtime_revision);
  standing.rows = stamp_is == codec::Read::ok ? std::max(rows, runtime_rows) : machine::RowsAre::foreign;
  PlaceRow row;
  if (read(place, row) == codec::Read::malformed) return standing;
  standing.position = row.position;
  standing.last_record_hash = hash_from(row.last_hash);
  return standing;
}

std::string to_text(const StampRow& stamp) {
  if (stamp == StampRow()) return "none";
  return std::to_string(stamp.format) + "." + std::to_string(stamp.revision) + "/" +
         std::to_string(stamp.runtime_format) + "." + std::to_string(stamp.runtime_revision) + " (build " +
         stamp.build + ")";
}

std::optional<Bytes> DomainView::get(BytesView key) const {
  Bytes full(1, kDomain);
  full.append(key);
  return whole_.get(full);
}

void DomainView::scan(BytesView from, BytesView to, const std::function<bool(BytesView, BytesView)>& visit) const {
  Bytes first(1, kDomain);
  first.append(from);
  Bytes end(1, kDomain);
  if (to.empty())
    end = prefix_end(end);
  else
    end.append(to);
  whole_.scan(first, end, [&visit](BytesView key, BytesView value) { return visit(key.substr(1), value); });
}

Hash32 state_digest(const store::View& whole) {
  proof::Hasher hasher;
  hasher.start();
  Bytes length;
  DomainView(whole).scan("", "", [&](BytesView key, BytesView value) {
    for (const BytesView part : {key, value}) {
      length.clear();
      append_u32(length, static_cast<std::uint32_t>(part.size()));
      hasher.add(length);
      hasher.add(part);
    }
    return true;
  });
  return hasher.finish();
}

StoredPlace stored_place(const store::View& whole) {
  const auto value = whole.get(kPlaceKey);
  if (!value) return {};
  const auto row = decode_row<PlaceRow>(*value);
  return {row.position, row.events};
}

std::uint64_t stored_position(const store::View& whole) {
  return stored_place(whole).position;
}

AsOf stored_as_of(const store::View& whole, MachineKind machine, std::uint16_t shard, std::uint16_t partitions) {
  AsOf as_of{shard, 0, {}, {}};
  std::optional<Instant> swept_until;
  if (const auto value = whole.get(kPlaceKey)) {
    const auto row = decode_row<PlaceRow>(*value);
    as_of.position = row.position;
    as_of.now = row.now;
    swept_until = row.swept_until;
  }
  as_of.complete = swept_until ? std::min(as_of.now, *swept_until) : as_of.now;
  for (const MachineKind writer : machine::writers_of(machine::inbox_of(machine))) {
    if (!machine::counts_for_complete(writer, machine::inbox_of(machine))) continue;
    for (std::uint16_t i = 0; i < machine::shards_of(writer, partitions); ++i) {
      const auto value = whole.get(lane_key(kInLaneKey, static_cast<std::uint8_t>(writer), i));
      as_of.complete = std::min(as_of.complete, value ? decode_row<LaneRow>(*value).completed : Instant());
    }
  }
  return as_of;
}

LaneCounters stored_lanes(const store::View& whole) {
  LaneCounters lanes;
  whole.scan(kOutLaneKey, prefix_end(kOutLaneKey), [&lanes](BytesView key, BytesView value) {
    const auto row = decode_row<LaneRow>(value);
    lanes[{static_cast<Topic>(key[2]), read_u16(key.substr(3))}] = {row.number, hash_from(row.hash).value_or(Hash32{})};
    return true;
  });
  return lanes;
}

Bytes outbox_key(const LaneTarget& target, std::uint64_t first) {
  Bytes key = lane_key(kOutboxKey, static_cast<std::uint8_t>(target.topic), target.partition);
  append_u64(key, first);
  return key;
}

std::vector<OutPacket> read_outbox(const store::View& whole) {
  std::vector<OutPacket> outbox;
  whole.scan(kOutboxKey, prefix_end(kOutboxKey), [&outbox](BytesView key, BytesView value) {
    OutPacket packet;
    packet.target = {static_cast<Topic>(key[2]), read_u16(key.substr(3))};
    packet.first = read_u64(key.substr(5));
    packet.bytes = value;
    GRANARY_CHECK(value.size() > events::kFrontBytes, "an outbox row is no packet");
    auto view = PacketView::parse(events::body_of(packet.bytes));
    GRANARY_CHECK(view.has_value() && view->first == packet.first, "an outbox row is no packet");
    packet.last = packet.first - 1;
    while (view->next()) ++packet.last;
    outbox.push_back(std::move(packet));
    return true;
  });
  return outbox;
}

}  // namespace granary::runtime
