#include "shared/store/rocks_store.h"

#include <fmt/format.h>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "shared/base/check.h"
#include "shared/base/probe.h"
#include "shared/rocks/continuity.h"
#include "shared/rocks/rights.h"

namespace granary::store {

struct RocksEnvironment::Parts {
  RocksOptions wanted;
  rocksdb::Options options;
};

namespace {

rocksdb::CompressionType best_compression() {
  const auto known = rocksdb::GetSupportedCompressions();
  const bool lz4 = std::find(known.begin(), known.end(), rocksdb::kLZ4Compression) != known.end();
  return lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

Error error_of(const rocksdb::Status& status, const std::string& what) {
  auto code = ErrorCode::io_error;
  std::string hint = "check the disk, then start again";
  if (status.IsNoSpace()) {
    code = ErrorCode::out_of_space;
    hint = "free some space, then start again";
  } else if (status.IsCorruption() || status.IsPathNotFound()) {  // a file that the database names is missing
    code = ErrorCode::corrupt;
    hint = "delete this directory, its state comes back from the log";
  }
  return {code, fmt::format("expected to {}, got: {}; hint: {}", what, status.ToString(), hint)};
}

// A file in a store's directory: its rows turned out to be damaged.
std::string mark_of(const std::string& directory) {
  return directory + "/DAMAGED";
}

void mark_damaged(const std::string& directory, const std::string& why) {
  std::ofstream(mark_of(directory), std::ios::trunc) << why << '\n';
}

struct Opened {
  std::string directory;
  std::unique_ptr<rocksdb::DB> rows;

  // A row that cannot be read is never taken for one that does not exist.
  [[noreturn]] void cannot_read(const rocksdb::Status& status) const {
    if (status.IsCorruption()) {
      GRANARY_PROBE("a row of the state turns out to be damaged");
      mark_damaged(directory, status.ToString());
    }
    stop_process(fmt::format("expected to read a row of the state in {}, got: {}{}", directory, status.ToString(),
                             status.IsCorruption()
                                 ? "; hint: start again: the state is then folded again from the log; check the disk"
                                 : "; hint: check the disk, then start again"));
  }

  [[nodiscard]] std::optional<Bytes> get(const rocksdb::ReadOptions& options, BytesView key) const {
    Bytes value;
    const auto status = rows->Get(options, rocksdb::Slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) cannot_read(status);
    return value;
  }

  void scan(rocksdb::ReadOptions options, BytesView from, BytesView to,
            const std::function<bool(BytesView key, BytesView value)>& visit) const {
    const rocksdb::Slice upper(to);
    if (!to.empty()) options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> at(rows->NewIterator(options));
    for (at->Seek(rocksdb::Slice(from)); at->Valid(); at->Next())
      if (!visit(at->key().ToStringView(), at->value().ToStringView())) break;
    if (!at->status().ok()) cannot_read(at->status());
  }
};

class RocksSnapshot final : public View {
 public:
  explicit RocksSnapshot(const Opened& store) : store_(store) { options_.snapshot = store.rows->GetSnapshot(); }
  ~RocksSnapshot() override { store_.rows->ReleaseSnapshot(options_.snapshot); }
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;

  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override { return store_.get(options_, key); }
  void scan(BytesView from, BytesView to,
            const std::function<bool(BytesView key, BytesView value)>& visit) const override {
    store_.scan(options_, from, to, visit);
  }

 private:
  const Opened& store_;
  rocksdb::ReadOptions options_;
};

class RocksStore final : public Store {
 public:
  RocksStore(Opened opened, std::uint64_t reserve_bytes) : opened_(std::move(opened)), reserve_bytes_(reserve_bytes) {}

  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override { return opened_.get({}, key); }

  void scan(BytesView from, BytesView to,
            const std::function<bool(BytesView key, BytesView value)>& visit) const override {
    opened_.scan({}, from, to, visit);
  }

  Result<void> commit(const WriteSet& changes) override {
    if (failed_) return *failed_;
    auto written = write(changes);
    if (!written.ok()) failed_ = written.error();
    return written;
  }

  Result<void> persist() override {
    if (failed_) return *failed_;
    if (const auto status = opened_.rows->Flush(rocksdb::FlushOptions()); !status.ok()) {
      failed_ = error_of(status, fmt::format("write the rows of the state in {} to its files", opened_.directory));
      return *failed_;
    }
    return {};
  }

  [[nodiscard]] std::unique_ptr<View> snapshot() const override { return std::make_unique<RocksSnapshot>(opened_); }

 private:
  Result<void> write(const WriteSet& changes) {
    std::error_code trouble;
    const auto space = std::filesystem::space(opened_.directory, trouble);
    if (trouble)
      return Error{ErrorCode::io_error,
                   fmt::format("expected the free space of {}, got: {}; hint: check the disk, then start again",
                               opened_.directory, trouble.message())};
    if (space.available < reserve_bytes_)
      return Error{
          ErrorCode::out_of_space,
          fmt::format("expected at least {} bytes free for {}, got {}; hint: free some space, then start again",
                      reserve_bytes_, opened_.directory, space.available)};
    batch_.Clear();
    for (const auto& [key, value] : changes.changes()) {
      if (value) {
        batch_.Put(key, *value);
      } else {
        batch_.Delete(key);
      }
    }
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    if (const auto status = opened_.rows->Write(options, &batch_); !status.ok()) {
      // A compaction could not read a file. The next one would meet the same file.
      if (status.IsCorruption()) mark_damaged(opened_.directory, status.ToString());
      return error_of(status, "commit to the state in " + opened_.directory);
    }
    return {};
  }

  const Opened opened_;
  const std::uint64_t reserve_bytes_;
  rocksdb::WriteBatch batch_;
  std::optional<Error> failed_;
};

Error cannot_open(const std::string& directory, const rocksdb::Status& status) {
  if (const auto denied = rocks::denied_path(directory))
    return {ErrorCode::io_error, fmt::format("expected to open the state in {}, got: {}; hint: give this user the "
                                             "right to read and write the files there",
                                             directory, *denied)};
  return error_of(status, "open the state in " + directory);
}

// The store must not be open elsewhere meanwhile: what another process writes would look like a broken one.
Result<void> look_for_holes(const rocksdb::Options& options, const std::string& directory) {
  rocksdb::FileLock* lock = nullptr;
  rocksdb::Env& env = *rocksdb::Env::Default();
  errno = 0;
  if (const auto taken = env.LockFile(directory + "/LOCK", &lock); !taken.ok()) {
    const bool held = rocks::is_lock_held(errno) && !rocks::denied_path(directory);
    if (!held) return cannot_open(directory, taken);
    return Error{ErrorCode::conflict,
                 fmt::format("expected to be the only one with the state in {}, but it is open already; hint: stop the "
                             "other process, or give this one another directory",
                             directory)};
  }
  const auto status = rocks::check_continuity(options, directory);
  env.UnlockFile(lock);
  if (!status.ok()) return cannot_open(directory, status);
  return {};
}

}  // namespace

RocksEnvironment::RocksEnvironment(RocksOptions wanted) : parts_(std::make_unique<Parts>()) {
  parts_->wanted = wanted;
  rocksdb::Options& options = parts_->options;
  options.create_if_missing = true;
  // The default, written out because a law of the port depends on it: recovery stops at the first broken record.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // The default too; each read verifies the checksum of its block (ReadOptions::verify_checksums).
  options.paranoid_checks = true;
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(wanted.write_buffer_bytes);
  options.write_buffer_size = std::min<std::size_t>(16ULL << 20, wanted.write_buffer_bytes);
  // Otherwise each of the many stores preallocates a write buffer's size on the disk for a log that it never writes.
  options.allow_fallocate = false;
  options.max_write_buffer_number = 2;
  // RocksDB keeps ten of these for what is no table.
  options.max_open_files = wanted.descriptors_per_store == 0 ? -1 : static_cast<int>(wanted.descriptors_per_store);
  options.target_file_size_base = 32ULL << 20;
  options.max_bytes_for_level_base = 128ULL << 20;
  // The changes of a state are spread over all keys, so each compaction rewrites most of the level below. This halves
  // the number of compactions; a read looks into twice as many files, which their filters rule out. The first two
  // levels are rewritten too soon to be worth compressing.
  options.level0_file_num_compaction_trigger = 8;
  options.compression = best_compression();
  options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kNoCompression, options.compression};
  options.info_log_level = rocksdb::ERROR_LEVEL;  // Debian's headers say DEBUG
  options.keep_log_file_num = 2;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(wanted.cache_bytes);
  table.cache_index_and_filter_blocks = true;  // so that the cache's size is the whole
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // most ids that are looked up do not exist yet
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
}

RocksEnvironment::~RocksEnvironment() = default;

Result<std::unique_ptr<Store>> open_rocks_store(const RocksEnvironment& environment, const std::string& directory) {
  std::error_code trouble;
  std::filesystem::create_directories(directory, trouble);
  if (trouble)
    return Error{ErrorCode::io_error,
                 fmt::format("expected to make the directory {}, got: {}; hint: check the path and its rights",
                             directory, trouble.message())};
  if (std::filesystem::exists(mark_of(directory), trouble))
    return error_of(rocksdb::Status::Corruption("it is marked as damaged", mark_of(directory)),
                    "open the state in " + directory);
  const rocksdb::Options& options = environment.parts().options;
  GRANARY_TRY(look_for_holes(options, directory));
  rocksdb::DB* rows = nullptr;
  const auto status = rocksdb::DB::Open(options, directory, &rows);
  if (!status.ok()) return cannot_open(directory, status);
  return std::unique_ptr<Store>(std::make_unique<RocksStore>(Opened{directory, std::unique_ptr<rocksdb::DB>(rows)},
                                                             environment.parts().wanted.reserve_bytes));
}

}  // namespace granary::store
