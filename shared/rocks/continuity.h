// What RocksDB does not look for when it opens: writes that are missing in the middle. A flipped or zeroed byte in the
// header of a record of MANIFEST or of a write-ahead log can read as the end of that file, with no error; what stands
// in the next file is then put on top of rows from before the hole, and tables that MANIFEST named are deleted. Every
// write has a sequence number, so a hole shows as a gap in them.
//
// Threads: any; the database must not be open elsewhere meanwhile.
#pragma once

#include <rocksdb/options.h>
#include <rocksdb/status.h>

#include <string>

namespace granary::rocks {

// Corruption where writes are missing between the tables that MANIFEST names and the write-ahead logs, or within these,
// or where the database's CURRENT is missing; else what opening it for reading says. OK for an empty directory. Changes
// nothing.
rocksdb::Status check_continuity(rocksdb::Options options, const std::string& directory);

}  // namespace granary::rocks
