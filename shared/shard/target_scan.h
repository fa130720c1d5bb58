// What targets hold of the lanes that lead to them: asked by a writer at start and after a failed append, so that it
// goes on behind what stands there and never trusts its own memory of what was acknowledged. Where it has none, the
// newest checkpoint of the target whose last record is still the one that stands there shortens the reading. One
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
    LaneCounter last;         // number 0: nothing of the lane stands
    journal::Offset end = 0;  // up to which the target was read
  };
  // The last event of the lane of (machine, shard) that the target's reader takes from it: `known` is where the lane
  // stood, at least, when the target ended at `from`. Where the target is shorter than that (or `from` is 0), all of it
  // is read, from its newest checkpoint on, and `known` means nothing. For an outward stream its last records tell: the
  // largest number of them, with the hash of its value.
  Result<Standing> last_of(MachineKind machine, std::uint16_t shard, const LaneTarget& target, const LaneCounter& known,
                           journal::Offset from);
  // Whether each number that stands more than once in the outward stream, from a little before `from` up to `to`,
  // stands there as the same record. False: two owners disagreed.
  Result<bool> repeats_agree(const LaneTarget& stream, journal::Offset from, journal::Offset to) const;

 private:
  using Lane = std::pair<MachineKind, std::uint16_t>;
  struct Whole {
    std::map<Lane, LaneCounter> lanes;
    journal::Offset end = 0;
  };
  // Reads on from whole.end. With `only`, packets of other lanes are passed over.
  Result<void> scan_inbox(const LaneTarget& target, const Lane* only, Whole& whole) const;
  // Begins with the newest checkpoint that fits; changes nothing where there is none.
  Result<void> begin_at_checkpoint(const LaneTarget& target, Whole& whole) const;
  Result<Standing> last_outward(const LaneTarget& target) const;
  [[nodiscard]] LaneCounter& counter_of(const Lane& lane, const LaneTarget& target, Whole& whole) const;

  const journal::Journal& journal_;
  Ledger ledger_;
  std::map<LaneTarget, Whole> whole_;  // read without knowing a lane: serves every lane
};

}  // namespace granary::runtime
