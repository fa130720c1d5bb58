// The open directory of an embedded journal: its lock, database and HEAD, checked to belong together. Inside
// shared/journal only. One thread at a time, except for the database itself.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>

#include "shared/journal/embedded_head.h"
#include "shared/journal/embedded_journal.h"
#include "shared/journal/embedded_rows.h"

namespace granary::journal {

// Held by the one process that has the directory open; the operating system lets go of it when the process ends.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  // conflict: another process holds it.
  Result<void> take(const std::string& directory);

 private:
  int file_ = -1;
};

struct EmbeddedDatabase {
  DirectoryLock lock;
  HeadFile head;
  GroupRow newest;  // the newest group: in the database and in HEAD
  std::unique_ptr<rocksdb::DB> rows;
};

// Errors as open_embedded_journal.
Result<std::unique_ptr<EmbeddedDatabase>> open_embedded_database(const std::string& directory,
                                                                 const EmbeddedOptions& options);

// `status` is not OK; `what` follows "expected to".
Error error_of(const rocksdb::Status& status, const std::string& what);

}  // namespace granary::journal
