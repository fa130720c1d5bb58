// The shards of other processes, as the runtime sees them: a port, which shared/peers implements.
//
// Threads: any; see the class.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shared/machine/machine.h"
#include "shared/shard/needs.h"

namespace granary::runtime {

// The shards of other processes: who owns them, and waits at them. Any thread; callbacks come on a thread of its own,
// or never.
class Elsewhere {
 public:
  virtual ~Elsewhere() = default;
  // The address of the shard's owner ("http://host:port"); empty: no owner is known.
  [[nodiscard]] virtual std::string owner_of(const ShardName& shard) const = 0;
  virtual void when_met(const ShardName& shard, const Needs& needs, std::weak_ptr<void> alive, Met done) = 0;
  virtual void when_judged(machine::Topic topic, std::uint16_t partition, const std::vector<std::uint64_t>& offsets,
                           std::weak_ptr<void> alive,
                           std::function<void(std::vector<std::optional<machine::Outcome>>)> done) = 0;
};

}  // namespace granary::runtime
