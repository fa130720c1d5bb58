// Reads what targets hold of the lanes that lead to them. A writer asks at its start and after a failed append, so that
// it continues after what is stored there; it never trusts its own memory of what was acknowledged. A checkpoint of the
// target shortens the reading if its last record is still stored at its place; the newest such checkpoint is taken. One
// thread.
#pragma once

#include <map>

#include "shared/fold/fold.h"
#include "shared/journal/journal.h"
#include "shared/ledger/ledger.h"

namespace granary::runtime {

class TargetScan {
 public:
  TargetScan(const journal::Journal& journal, const Ledger& ledger) : journal_(journal), ledger_(ledger) {}

  struct Standing {
    LaneCounter last;         // number 0: the target has nothing of the lane
    journal::Offset end = 0;  // up to which the target was read
  };
  // Returns the last event of the lane of (machine, shard) that the target's reader will accept. If the caller knows
  // that the lane had reached `known` when the target ended at offset `from`, only the records from there on are read.
  // With `from` 0, or if the target is now shorter than `from`, the scan starts at the newest checkpoint that fits and
  // ignores `known`. Of an outward stream it returns the largest number, with the hash of that record's value.
  Result<Standing> last_of(MachineKind machine, std::uint16_t shard, const LaneTarget& target, const LaneCounter& known,
                           journal::Offset from);
  // Whether each number that occurs more than once in the outward stream, from a little before `from` up to `to`, is
  // the same record each time. False: two owners disagreed.
  Result<bool> repeats_agree(const LaneTarget& stream, journal::Offset from, journal::Offset to) const;

 private:
  using Lane = std::pair<MachineKind, std::uint16_t>;
  struct Whole {
    std::map<Lane, LaneCounter> lanes;
    journal::Offset end = 0;
  };
  // Reads on from whole.end. With `only`, packets of other lanes are passed over.
  Result<void> scan_inbox(const LaneTarget& target, const Lane* only, Whole& whole) const;
  // Begins with the newest checkpoint that fits; changes nothing if there is none.
  Result<void> begin_at_checkpoint(const LaneTarget& target, Whole& whole) const;
  Result<Standing> last_outward(const LaneTarget& target) const;
  // The largest number of the records from `from` up to `to`, if it is at least `largest`.
  Result<void> scan_outward(const journal::Partition& stream, journal::Offset from, journal::Offset to,
                            LaneCounter& largest) const;
  [[nodiscard]] LaneCounter& counter_of(const Lane& lane, const LaneTarget& target, Whole& whole) const;

  const journal::Journal& journal_;
  Ledger ledger_;
  std::map<LaneTarget, Whole> whole_;  // read without knowing a lane: serves every lane
};

}  // namespace granary::runtime
