// The log of one process, with no server to start: RocksDB under `directory`/log, and the file `directory`/HEAD beside
// it (embedded_head.h). Its rows: embedded_rows.h.
//
// Appends that wait are written together, as one group commit: one synced write of the database, then the synced HEAD,
// then the answers. Each group is chained to the one before by its hash, so that a log that lost acknowledged
// records, or another log, is told from the one that HEAD names when it is opened. A crash between the two writes
// leaves a database that is one group ahead of HEAD: those records are kept although they were not acknowledged.
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
  // With less free space than this on the disk nothing is written any more: RocksDB may abort on a disk that is really
  // full.
  std::uint64_t reserve_bytes = 64ULL << 20;
  std::size_t write_buffer_bytes = 64ULL << 20;
  std::size_t cache_bytes = 32ULL << 20;
  // The bytes free for `directory`. Not set: what the operating system says.
  std::function<Result<std::uint64_t>(const std::string& directory)> free_bytes;
};

// Opens the journal in `directory`; if that is absent or empty, a new journal is made. Errors: conflict (this or
// another process has it open, or another version wrote it), corrupt (the log is not the one of HEAD: nothing may be
// served from it, and nothing was changed), out_of_space, io_error.
Result<std::unique_ptr<Journal>> open_embedded_journal(const std::string& directory, EmbeddedOptions options = {});

}  // namespace granary::journal
