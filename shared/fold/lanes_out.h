// The lanes that lead from a shard: numbers and chains what its machine emits, and packs it into records. After a loss
// of state, events that a target already holds are numbered and compared but not packed again.
//
// Threads: the fold's owner. May touch: the store's view in open(), the write set in flush(). Hot: send() runs for each
// event that is emitted.
#pragma once

#include <map>
#include <vector>

#include "shared/fold/layout.h"
#include "shared/fold/packet.h"
#include "shared/journal/journal.h"
#include "shared/ledger/ledger.h"

namespace granary::runtime {

journal::Partition partition_of(const LaneTarget& target);

class LanesOut {
 public:
  LanesOut(const Ledger& ledger, MachineKind machine, std::uint16_t shard)
      : ledger_(ledger.id), machine_(machine), shard_(shard) {}
  // Reads their counters of the last commit.
  void open(const store::View& whole) { lanes_ = stored_lanes(whole); }

  // The number of the event in its lane.
  std::uint64_t send(const LaneTarget& target, BytesView event);
  // The number that the next event of the lane will have.
  [[nodiscard]] std::uint64_t next_number(const LaneTarget& target) const;
  [[nodiscard]] const LaneCounters& counters() const { return lanes_; }

  // Of all events that were sent, since it was opened.
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

  // Fold::set_standing.
  void set_standing(const LaneTarget& target, const LaneCounter& standing) { standing_[target] = standing; }
  // A target holds another event than this shard emits under the same number.
  [[nodiscard]] bool diverged() const { return diverged_; }

  // Adds the rows of the lanes that changed and of the packets that are ready (the outbox). `ready` receives those
  // packets.
  void flush(store::WriteSet& rows, std::vector<OutPacket>& ready);

 private:
  struct OpenPacket {
    PacketBuilder builder;
    bool is_changed = false;  // the lane's row has to be written, even if nothing is sent
  };
  // Whether the target holds the event that `lane` has just counted.
  bool stands_already(const LaneTarget& target, const LaneCounter& lane, BytesView event);
  void close_packet(const LaneTarget& target, OpenPacket& packet);

  Id16 ledger_;
  MachineKind machine_;
  std::uint16_t shard_;
  LaneCounters lanes_;
  LaneCounters standing_;
  std::map<LaneTarget, OpenPacket> open_;
  std::vector<LaneTarget> changed_;
  std::vector<OutPacket> ready_;
  std::uint64_t bytes_sent_ = 0;
  Bytes chained_;  // scratch
  bool diverged_ = false;
};

}  // namespace granary::runtime
