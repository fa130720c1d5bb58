// The HEAD file of an embedded journal: number and chained hash of the newest group commit that was acknowledged. It
// is beside the database, so that a log that lost acknowledged records is refused and not opened without them.
//
// Layout: two slots at the offsets 0 and 4096, each "granaryH", u32 format version (1), u64 group, 32 bytes hash, 32
// bytes SHA-256 of what precedes; numbers big-endian, zeros between. Group n is written to slot n mod 2 and synced, so
// a torn write leaves the other slot with group n-1. The newest readable slot counts.
//
// Threads: an object belongs to one thread. It owns its file descriptor.
#pragma once

#include <cstdint>
#include <string>

#include "shared/base/bytes.h"
#include "shared/base/result.h"

namespace granary::journal {

struct Head {
  std::uint64_t group = 0;  // 0: nothing was written yet
  Hash32 hash{};
  bool operator==(const Head&) const = default;
};

// Makes what was created, renamed or removed in `directory` durable.
Result<void> sync_directory(const std::string& directory);

// The HEAD of the embedded journal in `directory`, for tools; also while a process has the journal open. not_found:
// there is none; corrupt: both slots are broken; conflict: another format version wrote it.
Result<Head> read_head(const std::string& directory);

class HeadFile {
 public:
  HeadFile() = default;
  ~HeadFile();
  HeadFile(const HeadFile&) = delete;
  HeadFile& operator=(const HeadFile&) = delete;

  // Makes the file, durably, with group 0 in both slots; replaces one that exists.
  static Result<void> create(const std::string& directory);
  // Opens the file for write(). It must exist.
  Result<void> open(const std::string& directory);
  // Writes the slot of head.group and syncs it. An error leaves the other slot as it was.
  Result<void> write(const Head& head);

 private:
  int file_ = -1;
  std::string path_;
};

}  // namespace granary::journal
