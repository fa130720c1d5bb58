// What targets hold of the lanes that lead to them: asked by a writer at start, so that it goes on behind what stands
// there and never trusts its own memory of what was acknowledged. One thread (start-up).
#pragma once

#include <map>

#include "shared/journal/journal.h"
#include "shared/runtime/fold.h"

namespace granary::runtime {

class TargetScan {
 public:
  explicit TargetScan(const journal::Journal& journal) : journal_(journal) {}

  // The last event of the lane of (machine, shard) that stands in `target` at or after offset `from`; number 0: none
  // does. For an outward stream its last record tells, and `from` and the hash mean nothing.
  Result<LaneCounter> last_of(MachineKind machine, std::uint16_t shard, const LaneTarget& target, std::uint64_t from);

 private:
  struct Seen {
    std::uint64_t from = 0;
    std::map<std::pair<MachineKind, std::uint16_t>, LaneCounter> lanes;
  };
  Result<void> scan_inbox(const LaneTarget& target, std::uint64_t from);
  Result<LaneCounter> last_outward(const LaneTarget& target);

  const journal::Journal& journal_;
  std::map<LaneTarget, Seen> seen_;  // a scan from further back serves everybody
};

}  // namespace granary::runtime
