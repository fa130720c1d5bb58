#include "shared/fold/outcomes.h"

#include "shared/base/probe.h"

namespace granary::runtime {
namespace {
// A door asks when a record is folded and committed, which takes half a second at most (ShardOptions::commit_age_max).
// In that time a shard folds fewer records than this. 1.5 MiB of memory.
constexpr std::size_t kOutcomesKept = 1 << 14;
}  // namespace

void Outcomes::note(std::uint64_t offset, machine::Outcome outcome) {
  if (noted_.empty()) noted_.resize(kOutcomesKept);
  Noted& slot = noted_[offset % kOutcomesKept];
  slot.offset = offset;
  slot.outcome = std::move(outcome);
}

std::optional<machine::Outcome> Outcomes::of(std::uint64_t offset) const {
  if (noted_.empty() || noted_[offset % kOutcomesKept].offset != offset) {
    GRANARY_PROBE("an outcome is asked for that is no longer known");
    return std::nullopt;
  }
  return noted_[offset % kOutcomesKept].outcome;
}

}  // namespace granary::runtime
