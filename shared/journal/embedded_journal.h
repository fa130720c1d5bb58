// The log of one process, with no server to start: RocksDB under `directory`/log, and the file `directory`/HEAD beside
// it (embedded_head.h). Its rows: embedded_rows.h.
//
// Appends that wait are written together, as one group commit: one synced write of the database, then the synced HEAD,
// then the answers. Each group is chained to the one before by its hash, so that opening tells a log that lost
// acknowledged records, or another log, from the one that HEAD speaks of. A database one group ahead of HEAD is what a
// crash between the two leaves: those records stand though nobody was told.
//
// Threads: as the port. One thread writes and calls `done` and the listener: the answers of a group in the order of the
// appends, then the listener once per partition that has grown. create_topic waits for that thread: not from a
// callback. The destructor writes and answers what was appended before it.
//
// Troubles of appends: out_of_space below the reserve, with nothing written, and the next append tries again. After any
// other failure of a write every later append fails (io_error, out_of_space) until the journal is opened again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "shared/journal/journal.h"

namespace granary::journal {

struct EmbeddedOptions {
  // Less free space than this on the disk: nothing is written any more. RocksDB may abort on a disk that is really
  // full.
  std::uint64_t reserve_bytes = 64ULL << 20;
  std::size_t write_buffer_bytes = 64ULL << 20;
  std::size_t cache_bytes = 32ULL << 20;
  // The bytes free for `directory`. Not set: what the operating system says.
  std::function<Result<std::uint64_t>(const std::string& directory)> free_bytes;
};

// Opens the journal in `directory`; an absent or empty one becomes a new journal. Errors: conflict (another process, or
// this one, has it open; or another version wrote it), corrupt (the log is not what HEAD says: nothing may be served
// from it, and nothing was changed), out_of_space, io_error.
Result<std::unique_ptr<Journal>> open_embedded_journal(const std::string& directory, EmbeddedOptions options = {});

}  // namespace granary::journal
