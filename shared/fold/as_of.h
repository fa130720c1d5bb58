// What an answer holds for. A value; any thread.
#pragma once

#include <cstdint>

#include "shared/units/instant.h"

namespace granary::runtime {

// All that a shard had folded at its last commit; or, while it folds again, all that its old state had folded.
struct AsOf {
  std::uint16_t shard = 0;
  std::uint64_t position = 0;    // the next record of its inbox
  units::Instant now, complete;  // as machine::Context has them
  bool folding_again = false;    // the old state answers
};

}  // namespace granary::runtime
