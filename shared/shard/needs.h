// What one may wait for at a shard, and what it answers then. Values; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "shared/shard/shard_name.h"

namespace granary::runtime {

// What a shard has to have done.
struct Needs {
  std::uint64_t position = 0;                // folded this number of records of its inbox
  std::map<ShardName, std::uint64_t> lanes;  // folded from each lane up to this number
  bool published = false;                    // and what came of it is in the outward streams
  bool committed = false;                    // and committed, so that ask() sees it
  std::uint64_t rules = 0;                   // folds by this rules version, or a later one
};

// The numbers of the last events on a shard's outgoing lanes to inboxes.
struct LaneNumber {
  machine::Topic topic{};
  std::uint16_t partition = 0;
  std::uint64_t number = 0;
};

// Receives the numbers of a shard's lanes. nullopt: the inbox ends before the position, so the wait
// is in vain.
using Met = std::function<void(std::optional<std::vector<LaneNumber>>)>;

}  // namespace granary::runtime
