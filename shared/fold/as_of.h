// What an answer holds for. A value; any thread.
#pragma once

#include <cstdint>

#include "shared/units/instant.h"

namespace granary::runtime {

// All that a shard had folded when it committed last, or what its old state had, while it folds again.
struct AsOf {
  std::uint16_t shard = 0;
  std::uint64_t position = 0;    // the next record of its inbox
  units::Instant now, complete;  // as machine::Context has them
  bool folding_again = false;    // it is the old state that answers
};

}  // namespace granary::runtime
