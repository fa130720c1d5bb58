// How many files and sockets the process may have open, and who may have how many of them: the log and the stores go
// first, connections get what is left. A store that cannot open a file stops the process for good; a connection that is
// refused comes again.
//
// Threads: once, before others start.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shared/base/result.h"

namespace granary::service {

struct Descriptors {
  std::uint64_t limit = 0;      // of the process, once it was raised
  std::uint64_t reserved = 0;   // for the log and the stores, at least
  std::uint64_t per_store = 0;  // what each store may have; 0: as many as it likes
  std::size_t connections = 0;  // what is left, `connections_max` at most
};

// The least: a store has its log, lock and manifest, and RocksDB keeps ten tables open. It gets more if there are more.
inline constexpr std::uint64_t kDescriptorsOfStore = 16;
// While a shard folds again, its old store answers beside the new one.
inline constexpr std::uint64_t kStoresOfShard = 2;
// With as many as this a store keeps all of its tables open.
inline constexpr std::uint64_t kDescriptorsOfStoreMany = 1000;
// The log, its brokers, standard streams, the processes of the list of peers.
inline constexpr std::uint64_t kDescriptorsOfProcess = 128;
// Fewer connections than this serve nobody.
inline constexpr std::size_t kConnectionsMin = 32;

// `limit` shared out.
Result<Descriptors> share_out(std::uint64_t limit, std::size_t shards, std::size_t connections_max);

// Raises the soft limit of the process to its hard one, and shares it out. Errors: invalid_input (too few for these
// shards).
Result<Descriptors> take_descriptors(std::size_t shards, std::size_t connections_max);

}  // namespace granary::service
