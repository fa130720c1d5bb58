// The lanes that lead to a shard's inbox: the number up to which each was folded, the instant up to which it is
// complete.
//
// Threads: the fold's owner. May touch: the store's view in open(), the write set in flush().
#pragma once

#include <map>
#include <utility>

#include "shared/events/record.h"
#include "shared/fold/layout.h"
#include "shared/ledger/ledger.h"

namespace granary::runtime {

class LanesIn {
 public:
  struct Lane {
    std::uint64_t folded = 0;  // the number of its last event
    Hash32 hash{};             // chained up to it
    Instant completed;         // nothing recorded before it is still under way on this lane
    bool is_changed = false;   // since the last flush
  };

  // All lanes that lead to the inbox of (machine, shard).
  LanesIn(const Ledger& ledger, MachineKind machine, std::uint16_t shard);
  // Reads their counters of the last commit.
  void open(const store::View& whole);

  // nullptr: no lane of that shard leads here.
  [[nodiscard]] Lane* find(MachineKind machine, std::uint16_t shard);
  [[nodiscard]] const Lane* find(MachineKind machine, std::uint16_t shard) const;
  // Takes the lane's next event.
  static void advance(Lane& lane, BytesView event);
  // The earliest instant that all lanes have reached, `now` at most (counts_for_complete).
  [[nodiscard]] Instant complete(Instant now) const;

  // Adds the rows of the lanes that changed.
  void flush(store::WriteSet& rows);
  // What each lane's next event will be.
  void describe(events::Checkpoint& checkpoint) const;

 private:
  Topic inbox_;
  std::map<std::pair<MachineKind, std::uint16_t>, Lane> lanes_;
};

}  // namespace granary::runtime
