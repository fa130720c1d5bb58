#include "shared/shard/shard_name.h"

namespace granary::runtime {

std::string name_of(const ShardName& shard) {
  return std::string(machine::machine_name(shard.first)) + "-" + std::to_string(shard.second);
}

}  // namespace granary::runtime
