// Derived state in RocksDB: one database per shard, many of them in one process, which share their memory by a
// RocksEnvironment. Keys and values are stored as given.
//
// There is no write-ahead log: the journal is one already. A process that is killed loses the commits that are not in a
// file yet (at most one write buffer, which all stores share) and folds them again; a process that stops writes them.
//
// Threads: as the port; opening is safe on any thread. Ownership: the environment outlives its stores, a store its
// snapshots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "shared/store/store.h"

namespace granary::store {

struct RocksOptions {
  std::size_t cache_bytes = 128ULL << 20;         // blocks of all stores together
  std::size_t write_buffer_bytes = 128ULL << 20;  // rows of all stores that are not in files yet
  // Less free space than this on the disk: a commit is out_of_space. RocksDB may abort on a disk that is really full.
  std::uint64_t reserve_bytes = 64ULL << 20;
  // Descriptors of each store, its log and manifest among them; 0: all of its tables stay open.
  std::uint64_t descriptors_per_store = 0;
};

class RocksEnvironment {
 public:
  explicit RocksEnvironment(RocksOptions options = {});
  ~RocksEnvironment();
  RocksEnvironment(const RocksEnvironment&) = delete;
  RocksEnvironment& operator=(const RocksEnvironment&) = delete;

  struct Parts;
  [[nodiscard]] const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

// Opens the store in `directory`; if that is absent or empty, a new store is made. Errors: conflict (it is already
// open, in this or another process), corrupt, out_of_space, io_error. Derived state that is corrupt may be deleted: it
// is folded again from the log.
//
// If a row turns out to be corrupt when it is read, or a commit fails because of one, the file DAMAGED is written in
// `directory`: from then on the store opens as corrupt until it is deleted. Such a read stops the process
// (base/check.h).
Result<std::unique_ptr<Store>> open_rocks_store(const RocksEnvironment& environment, const std::string& directory);

}  // namespace granary::store
