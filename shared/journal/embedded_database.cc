#include "shared/journal/embedded_database.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "shared/base/probe.h"
#include "shared/rocks/continuity.h"
#include "shared/rocks/rights.h"

namespace granary::journal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRestore = "; hint: restore the journal's directory from backup, do not open it short";

rocksdb::CompressionType best_compression() {
  const auto known = rocksdb::GetSupportedCompressions();
  for (const auto type : {rocksdb::kLZ4Compression, rocksdb::kZSTD})
    if (std::find(known.begin(), known.end(), type) != known.end()) return type;
  return rocksdb::kNoCompression;
}

rocksdb::Options options_of(const EmbeddedOptions& wanted) {
  rocksdb::Options options;
  // In the middle of the log a broken record must be an error. The default mode would open without what follows it.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.write_buffer_size = wanted.write_buffer_bytes;
  options.max_write_buffer_number = 3;
  options.target_file_size_base = 64ULL << 20;
  // Nothing is ever overwritten: the only gain of a compaction is that a reader merges fewer files.
  options.level0_file_num_compaction_trigger = 8;
  options.max_bytes_for_level_base = 512ULL << 20;
  // Most rows are compressed already (embedded_rows.h): only those of single records gain, and once is enough.
  options.compression = best_compression();
  options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kNoCompression, options.compression};
  // Offsets of a partition (4 bytes of topic and partition) come in order: the memtable inserts after its last place.
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(4));
  options.info_log_level = rocksdb::ERROR_LEVEL;  // Debian's headers say DEBUG
  options.keep_log_file_num = 2;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(wanted.cache_bytes);
  table.block_size = 16 << 10;  // read in order, so no filters either
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

Result<void> make_directories(const std::string& directory) {
  std::vector<fs::path> made;  // innermost first
  std::error_code trouble;
  fs::path at = fs::absolute(directory, trouble);
  if (!at.has_filename()) at = at.parent_path();
  for (; !trouble && !fs::exists(at, trouble) && at.has_parent_path(); at = at.parent_path()) made.push_back(at);
  if (!trouble) fs::create_directories(directory, trouble);
  if (trouble)
    return Error{ErrorCode::io_error,
                 fmt::format("expected to make the directory {}, got: {}; hint: check the path and its rights",
                             directory, trouble.message())};
  for (const fs::path& path : made) GRANARY_TRY(sync_directory(path.parent_path().string()));
  return {};
}

Error not_together(const std::string& directory, const std::string& what) {
  return {ErrorCode::corrupt,
          fmt::format("expected the journal in {} to be the one of its HEAD, but {}{}", directory, what, kRestore)};
}

enum class Access { read_only, read_write };

// Whether this user may use the files there. Errors: io_error.
Result<void> check_rights(const std::string& directory) {
  const auto denied = rocks::denied_path(directory + "/log");
  if (!denied) return {};
  return Error{ErrorCode::io_error, fmt::format("expected to open the journal in {}, got: {}; hint: give this user the "
                                                "right to read and write what lies there",
                                                directory, *denied)};
}

Error opening_failed(const std::string& directory, const rocksdb::Status& status) {
  if (const auto allowed = check_rights(directory); !allowed.ok()) return allowed.error();
  auto error = error_of(status, "open the journal in " + directory);
  if (status.IsPathNotFound()) error.code = ErrorCode::corrupt;  // a file that the database names is missing
  return error;
}

Result<std::unique_ptr<rocksdb::DB>> open_rows(const std::string& directory, const rocksdb::Options& options,
                                               Access access) {
  rocksdb::DB* rows = nullptr;
  const std::string log = directory + "/log";
  const auto status = access == Access::read_only ? rocksdb::DB::OpenForReadOnly(options, log, &rows)
                                                  : rocksdb::DB::Open(options, log, &rows);
  if (status.ok()) return std::unique_ptr<rocksdb::DB>(rows);
  return opening_failed(directory, status);
}

Result<GroupRow> read_newest(const std::string& directory, rocksdb::DB& rows) {
  std::string bytes;
  const auto status = rows.Get(rocksdb::ReadOptions(), group_key(), &bytes);
  if (status.IsNotFound()) return GroupRow{};
  if (!status.ok()) return error_of(status, "read the journal in " + directory);
  const auto row = decode_group(bytes);
  if (!row) return not_together(directory, "the row of its newest group is broken");
  return *row;
}

// Whether a log that ends with `newest` may belong to `head`.
Result<void> judge(const std::string& directory, const std::optional<Head>& head, const GroupRow& newest) {
  if (!head) {
    if (newest.group == 0) return {};
    return not_together(directory, "HEAD is missing while the log holds group " + std::to_string(newest.group));
  }
  const std::string numbers =
      fmt::format("HEAD speaks of group {}, the log ends at group {}", head->group, newest.group);
  if (head->group > newest.group) return not_together(directory, "the journal is shorter than its HEAD: " + numbers);
  if (head->group == newest.group) {
    if (head->hash != newest.hash) return not_together(directory, "their hashes differ: " + numbers);
    return {};
  }
  if (head->group + 1 != newest.group)
    return not_together(directory, "the journal is more than one group longer than its HEAD: " + numbers);
  if (head->hash != newest.before)
    return not_together(directory, "the log's newest group follows another one: " + numbers);
  return {};
}

}  // namespace

DirectoryLock::~DirectoryLock() {
  if (file_ >= 0) ::close(file_);
}

Result<void> DirectoryLock::take(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0)
    return Error{ErrorCode::io_error,
                 fmt::format("expected to open {}, got: {}; hint: check the rights of the directory", path,
                             std::strerror(errno))};
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK)
    return Error{ErrorCode::io_error,
                 fmt::format("expected to lock {}, got: {}; hint: use a file system that has locks", path,
                             std::strerror(errno))};
  return Error{ErrorCode::conflict,
               fmt::format("expected to be the only one with the journal in {}, but it is open already; hint: stop the "
                           "other process, or give this one another directory",
                           directory)};
}

Error error_of(const rocksdb::Status& status, const std::string& what) {
  auto code = ErrorCode::io_error;
  std::string hint = "check the disk, then start again";
  if (status.IsNoSpace()) {
    code = ErrorCode::out_of_space;
    hint = "free some space, then start again";
  } else if (status.IsCorruption()) {
    code = ErrorCode::corrupt;
    hint = "restore the journal's directory from backup";
  }
  return {code, fmt::format("expected to {}, got: {}; hint: {}", what, status.ToString(), hint)};
}

Result<std::unique_ptr<EmbeddedDatabase>> open_embedded_database(const std::string& directory,
                                                                 const EmbeddedOptions& wanted) {
  GRANARY_TRY(make_directories(directory));
  auto database = std::make_unique<EmbeddedDatabase>();
  GRANARY_TRY(database->lock.take(directory));
  std::optional<Head> head;
  if (auto read = read_head(directory); read.ok()) {
    head = *read;
  } else if (read.error().code != ErrorCode::not_found) {
    return read.error();
  }
  std::error_code trouble;
  const bool exists = fs::exists(directory + "/log/CURRENT", trouble);
  if (trouble) GRANARY_TRY(check_rights(directory));  // a file without the right to read it is not missing
  if (head && !exists)
    return not_together(directory, "the log is missing while HEAD speaks of group " + std::to_string(head->group));
  auto options = options_of(wanted);
  if (exists) {
    // Opening for writing drops what recovery could not read, and a log that is refused must stay as it was found.
    if (const auto status = rocks::check_continuity(options, directory + "/log"); !status.ok())
      return opening_failed(directory, status);
    const auto rows = open_rows(directory, options, Access::read_only);
    if (!rows.ok()) return rows.error();
    const auto newest = read_newest(directory, **rows);
    if (!newest.ok()) return newest.error();
    GRANARY_TRY(judge(directory, head, *newest));
  }
  options.create_if_missing = !exists;
  auto rows = open_rows(directory, options, Access::read_write);
  if (!rows.ok()) return rows.error();
  database->rows = std::move(*rows);
  GRANARY_TRY(sync_directory(directory));
  const auto newest = read_newest(directory, *database->rows);
  if (!newest.ok()) return newest.error();
  GRANARY_TRY(judge(directory, head, *newest));
  database->newest = *newest;
  if (!head) GRANARY_TRY(HeadFile::create(directory));
  GRANARY_TRY(database->head.open(directory));
  // One group ahead: a crash after the database's write and before HEAD's. Recovery has put it into a synced table
  // file.
  if (head && newest->group != head->group) {
    GRANARY_PROBE("the embedded log is one group ahead of its HEAD");
    GRANARY_TRY(database->head.write({newest->group, newest->hash}));
  }
  return database;
}

}  // namespace granary::journal
