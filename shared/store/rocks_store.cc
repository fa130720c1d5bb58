#include "shared/store/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <filesystem>

#include "shared/base/check.h"

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
  } else if (status.IsCorruption()) {
    code = ErrorCode::corrupt;
    hint = "delete this directory, its state comes back from the log";
  } else if (status.IsIOError() && status.ToString().find("lock") != std::string::npos) {
    code = ErrorCode::conflict;
    hint = "stop the other process that has it open, or give this one another directory";
  }
  return {code, "expected to " + what + ", got: " + status.ToString() + "; hint: " + hint};
}

std::optional<Bytes> get_row(rocksdb::DB& rows, const rocksdb::ReadOptions& options, BytesView key) {
  Bytes value;
  const auto status = rows.Get(options, rocksdb::Slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  GRANARY_CHECK(status.ok(), "a row of derived state cannot be read: " + status.ToString());
  return value;
}

void scan_rows(rocksdb::DB& rows, rocksdb::ReadOptions options, BytesView from, BytesView to,
               const std::function<bool(BytesView key, BytesView value)>& visit) {
  const rocksdb::Slice upper(to);
  if (!to.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(rows.NewIterator(options));
  for (at->Seek(rocksdb::Slice(from)); at->Valid(); at->Next())
    if (!visit(at->key().ToStringView(), at->value().ToStringView())) break;
  GRANARY_CHECK(at->status().ok(), "rows of derived state cannot be read: " + at->status().ToString());
}

class RocksSnapshot final : public View {
 public:
  explicit RocksSnapshot(rocksdb::DB& rows) : rows_(rows) { options_.snapshot = rows.GetSnapshot(); }
  ~RocksSnapshot() override { rows_.ReleaseSnapshot(options_.snapshot); }
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;

  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override { return get_row(rows_, options_, key); }
  void scan(BytesView from, BytesView to,
            const std::function<bool(BytesView key, BytesView value)>& visit) const override {
    scan_rows(rows_, options_, from, to, visit);
  }

 private:
  rocksdb::DB& rows_;
  rocksdb::ReadOptions options_;
};

class RocksStore final : public Store {
 public:
  RocksStore(std::string directory, std::uint64_t reserve_bytes, std::unique_ptr<rocksdb::DB> rows)
      : directory_(std::move(directory)), reserve_bytes_(reserve_bytes), rows_(std::move(rows)) {}

  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override { return get_row(*rows_, {}, key); }

  void scan(BytesView from, BytesView to,
            const std::function<bool(BytesView key, BytesView value)>& visit) const override {
    scan_rows(*rows_, {}, from, to, visit);
  }

  Result<void> commit(const WriteSet& changes) override {
    if (failed_) return *failed_;
    auto written = write(changes);
    if (!written.ok()) failed_ = written.error();
    return written;
  }

  [[nodiscard]] std::unique_ptr<View> snapshot() const override { return std::make_unique<RocksSnapshot>(*rows_); }

 private:
  Result<void> write(const WriteSet& changes) {
    std::error_code trouble;
    const auto space = std::filesystem::space(directory_, trouble);
    if (trouble)
      return Error{ErrorCode::io_error, "expected the free space of " + directory_ + ", got: " + trouble.message() +
                                            "; hint: check the disk, then start again"};
    if (space.available < reserve_bytes_)
      return Error{ErrorCode::out_of_space, "expected at least " + std::to_string(reserve_bytes_) + " bytes free for " +
                                                directory_ + ", got " + std::to_string(space.available) +
                                                "; hint: free some space, then start again"};
    batch_.Clear();
    for (const auto& [key, value] : changes.changes()) {
      if (value) {
        batch_.Put(key, *value);
      } else {
        batch_.Delete(key);
      }
    }
    if (const auto status = rows_->Write(rocksdb::WriteOptions(), &batch_); !status.ok())
      return error_of(status, "commit to the state in " + directory_);
    return {};
  }

  const std::string directory_;
  const std::uint64_t reserve_bytes_;
  const std::unique_ptr<rocksdb::DB> rows_;
  rocksdb::WriteBatch batch_;
  std::optional<Error> failed_;
};

}  // namespace

RocksEnvironment::RocksEnvironment(RocksOptions wanted) : parts_(std::make_unique<Parts>()) {
  parts_->wanted = wanted;
  rocksdb::Options& options = parts_->options;
  options.create_if_missing = true;
  // The default, said because a law of the port hangs on it: recovery stops at the first broken record.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(wanted.write_buffer_bytes);
  options.write_buffer_size = std::min<std::size_t>(16ULL << 20, wanted.write_buffer_bytes);
  // Preallocated logs would hold the write buffer's size on the disk for each of many stores, and speed up only synced
  // writes, which state does not make.
  options.allow_fallocate = false;
  options.max_write_buffer_number = 2;
  options.target_file_size_base = 32ULL << 20;
  options.max_bytes_for_level_base = 128ULL << 20;
  options.compression = best_compression();
  options.info_log_level = rocksdb::ERROR_LEVEL;  // Debian's headers say DEBUG
  options.keep_log_file_num = 2;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(wanted.cache_bytes);
  table.cache_index_and_filter_blocks = true;  // so that the cache's size is the whole
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // most new ids and accounts are looked for in vain
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
}

RocksEnvironment::~RocksEnvironment() = default;

Result<std::unique_ptr<Store>> open_rocks_store(const RocksEnvironment& environment, const std::string& directory) {
  std::error_code trouble;
  std::filesystem::create_directories(directory, trouble);
  if (trouble)
    return Error{ErrorCode::io_error, "expected to make the directory " + directory + ", got: " + trouble.message() +
                                          "; hint: check the path and its rights"};
  rocksdb::DB* rows = nullptr;
  const auto status = rocksdb::DB::Open(environment.parts().options, directory, &rows);
  if (!status.ok()) return error_of(status, "open the state in " + directory);
  return std::unique_ptr<Store>(std::make_unique<RocksStore>(directory, environment.parts().wanted.reserve_bytes,
                                                             std::unique_ptr<rocksdb::DB>(rows)));
}

}  // namespace granary::store
