// The shards of other processes, as the runtime asks about them: questions to their owners over HTTP
// (shard_questions.h).
//
// Threads: any; `done` runs on the loop's thread. An owner that does not answer is not told of: who asks keeps time.
// Ownership: refers to the list and the forwarder, which outlive the runtime; once the forwarder has stopped, no `done`
// runs.
#pragma once

#include <string>
#include <vector>

#include "shared/peers/forward.h"
#include "shared/peers/peers.h"
#include "shared/runtime/elsewhere.h"

namespace granary::peers {

class RemoteShards final : public runtime::Elsewhere {
 public:
  RemoteShards(const Peers& peers, Forwarder& forwarder) : peers_(peers), forwarder_(forwarder) {}

  [[nodiscard]] std::string owner_of(const ShardName& shard) const override { return peers_.owner_of(shard); }
  void when_met(const ShardName& shard, const runtime::Needs& needs, std::weak_ptr<void> alive,
                runtime::Met done) override;
  void when_judged(runtime::Topic topic, std::uint16_t partition, const std::vector<std::uint64_t>& offsets,
                   std::weak_ptr<void> alive,
                   std::function<void(std::vector<std::optional<machine::Outcome>>)> done) override;

 private:
  const Peers& peers_;
  Forwarder& forwarder_;
};

}  // namespace granary::peers
