// Replay: folds machines again from the log into a scratch store and publishes nothing, so that an auditor can compare
// the result with a server's state. One thread; nothing may be appended to the journal meanwhile.
#pragma once

#include <functional>

#include "shared/fold/fold.h"
#include "shared/runtime/runtime.h"

namespace granary::runtime {

// The result of one shard.
struct ShardDigest {
  MachineKind machine{};
  std::uint16_t shard = 0;
  std::uint64_t position = 0;  // records folded
  std::uint64_t events = 0;    // and of the packet behind them
  Hash32 digest{};             // state_digest of the machine's rows
  LaneCounters lanes;          // what it emitted: numbers and chained hashes
  bool operator==(const ShardDigest&) const = default;
};

// Folds records [0, position) of the shard's inbox, and `events` events of the packet behind them, into `scratch`,
// which must be empty, with a commit every `commit_every` records. `progress` is told of each batch's records. Errors:
// the journal's and the store's; `corrupt` if a record cannot be folded.
Result<ShardDigest> replay_shard(const journal::Journal& journal, const Ledger& ledger, MachineKind machine,
                                 std::uint16_t shard, std::uint64_t position, std::unique_ptr<Machine> rules,
                                 store::Store& scratch, std::size_t commit_every,
                                 const std::function<void(std::size_t)>& progress, std::uint64_t events = 0);

// The position and the contents of a shard's store.
ShardDigest stored_digest(const store::View& store, MachineKind machine, std::uint16_t shard);

// One digest over all: SHA-256 over the shards in the order of machine and number, each as «machine/shard», position
// and digest, each of the parts preceded by its length.
Hash32 overall_digest(std::vector<ShardDigest> shards);

// The first row, in key order, in which two stores differ, or else the first lane, in words; empty: they are equal.
std::string first_difference(const store::View& expected, const store::View& got);

}  // namespace granary::runtime
