// Follows a token along the lanes to one shard. A shard that has folded its place answers with its lane counters, and
// the shards that those lanes lead to are asked to fold up to these; larger counters are safe. Machines are in the
// order of the flow, so each is asked once. Only a machine with lanes to its own inbox is asked twice, the second time
// for what came on those. A second such hop is not followed.
//
// Threads: start() from any; the rest runs on the thread on which a shard's owner answers. Ownership: it keeps itself
// alive until all have answered; the runtime outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "shared/machine/topology.h"
#include "shared/runtime/runtime.h"

namespace granary::runtime {

class FoldedWait : public std::enable_shared_from_this<FoldedWait> {
 public:
  FoldedWait(Runtime& runtime, const ShardName& target, const machine::Topology& topology, std::weak_ptr<void> alive,
             std::function<void(Runtime::Folded)> done)
      : runtime_(runtime), target_(target), topology_(topology), alive_(std::move(alive)), done_(std::move(done)) {}

  void start(const Token& token);

 private:
  void next();
  void answered(const ShardName& from, const std::vector<LaneNumber>& lanes);
  void end_in_vain();
  [[nodiscard]] bool writes_to_itself(MachineKind machine) const {
    return topology_.row(machine::inbox_of(machine)).writers.contains(machine);
  }

  Runtime& runtime_;
  const ShardName target_;
  const machine::Topology& topology_;
  std::weak_ptr<void> alive_;
  std::function<void(Runtime::Folded)> done_;
  std::mutex mutex_;
  std::map<ShardName, Needs> needs_;
  MachineKind asked_{};  // whose shards are asked now
  int round_ = 0;        // the first or the second time
  std::size_t waiting_ = 0;
  bool in_vain_ = false;
};

}  // namespace granary::runtime
