// Packets: the events of a lane in an inbox, several in one record (layout: events::Packet in shared/events/record.h).
// They are built while events are emitted, and read in place. Any thread; views live as long as the record.
#pragma once

#include <optional>

#include "shared/events/record.h"
#include "shared/machine/topology.h"

namespace granary::runtime {

// h(0) of the lane of (machine, shard) that leads to this partition of a ledger: SHA-256 over the parts ledger id,
// machine, shard (u16), topic, partition (u16). So a packet of another ledger, lane or partition never joins.
Hash32 chain_start(const Id16& ledger, events::MachineKind machine, std::uint16_t shard, events::Topic topic,
                   std::uint16_t partition);

// A packet that is being filled. Its bytes are a whole record at any time.
class PacketBuilder {
 public:
  // Begins an empty packet of the ledger's lane of (machine, shard), whose first event will be `first` and h before it
  // `before`.
  void start(const Id16& ledger, events::MachineKind machine, std::uint16_t shard, std::uint64_t first,
             const Hash32& before);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // Whether `event` still fits a record.
  [[nodiscard]] bool fits(BytesView event) const;
  void add(BytesView event);
  [[nodiscard]] std::uint64_t first() const { return first_; }
  [[nodiscard]] std::uint64_t last() const { return first_ + count_ - 1; }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
};

// A packet read in place.
struct PacketView {
  events::MachineKind machine{};
  std::uint16_t shard = 0;
  std::uint64_t first = 0;  // the number of the event that next() takes
  Hash32 before{};
  BytesView rest;  // the events that next() has not taken yet

  // `body` is what follows a record's front. newer: a packet with a field that this build does not know. malformed: the
  // bytes are not a packet.
  static codec::Read read(BytesView body, PacketView& view);
  // The same; nullopt: not a packet that this build can read.
  static std::optional<PacketView> parse(BytesView body);
  // The next event's bytes; nullopt: the packet has ended.
  std::optional<BytesView> next();
};

// How a packet joins a lane whose last event is number `folded` with chained hash `hash`.
enum class Joint {
  next,   // continues the lane: the events up to `folded` were taken off, the rest is new
  old,    // ends before `folded`: nothing in it is new, and nothing in it can be compared
  gap,    // begins after the lane's next event
  other,  // was chained to other events than the lane's
};
Joint join(PacketView& packet, std::uint64_t folded, const Hash32& hash);

}  // namespace granary::runtime
