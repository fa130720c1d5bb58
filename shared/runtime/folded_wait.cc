#include "shared/runtime/folded_wait.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace granary::runtime {

void FoldedWait::start(const Token& token) {
  {
    const std::lock_guard lock(mutex_);
    for (const Place& place : token.places) {
      Needs& needs = needs_[{machine::reader_of(place.topic), place.partition}];
      needs.position = std::max(needs.position, place.offset + 1);
    }
  }
  next();
}

// Asks all shards of the earliest machine that is left. After the last of them has answered, the next machine is asked.
void FoldedWait::next() {
  std::vector<std::pair<ShardName, Needs>> asked;
  {
    const std::lock_guard lock(mutex_);
    while (!needs_.empty() && asked.empty()) {
      const MachineKind kind = needs_.begin()->first.first;
      if (kind > target_.first) {
        needs_.clear();
        break;
      }
      round_ = std::exchange(asked_, kind) == kind ? round_ + 1 : 1;
      // Of the target's machine only the target itself is asked, except for what others of it send on their own lanes.
      const bool only_target = kind == target_.first && (round_ > 1 || !writes_to_itself(kind));
      while (!needs_.empty() && needs_.begin()->first.first == kind) {
        auto node = needs_.extract(needs_.begin());
        if (only_target && node.key() != target_) continue;
        node.mapped().committed = node.key() == target_;
        asked.emplace_back(node.key(), std::move(node.mapped()));
      }
    }
    waiting_ = asked.size();
  }
  if (asked.empty()) {
    if (!alive_.expired()) done_(Runtime::Folded::yes);
    return;
  }
  for (const auto& [at, needs] : asked) {
    runtime_.when_met(at, needs, alive_,
                      [self = shared_from_this(), from = at](const std::optional<std::vector<LaneNumber>>& lanes) {
                        if (lanes) return self->answered(from, *lanes);
                        self->end_in_vain();
                      });
  }
}

void FoldedWait::answered(const ShardName& from, const std::vector<LaneNumber>& lanes) {
  {
    const std::lock_guard lock(mutex_);
    for (const LaneNumber& lane : lanes) {
      const ShardName reader{machine::reader_of(lane.topic), lane.partition};
      const bool is_own = reader.first == from.first;
      if (is_own && round_ > 1) continue;
      // Shards after the target are not asked, nor are those beside it, unless they may send to the target.
      const bool leads_on = reader.first == target_.first && !is_own && writes_to_itself(target_.first);
      if (reader.first < target_.first || reader == target_ || leads_on) needs_[reader].lanes[from] = lane.number;
    }
    if (--waiting_ > 0) return;
  }
  next();
}

// The other shards that were asked may still answer. Without this one's answer nothing more is asked.
void FoldedWait::end_in_vain() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(in_vain_, true)) return;
  }
  if (!alive_.expired()) done_(Runtime::Folded::beyond_the_log);
}

}  // namespace granary::runtime
