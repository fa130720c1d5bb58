#include "shared/rocks/continuity.h"

#include <fmt/format.h>

#include <rocksdb/db.h>
#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <memory>

#include "shared/base/probe.h"

namespace granary::rocks {
namespace {

namespace fs = std::filesystem;

std::uint64_t little_endian(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = size; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// Sees each write of the write-ahead logs in their order and keeps it from being applied, so that the database opens as
// its MANIFEST alone has it.
class SequenceCheck final : public rocksdb::WalFilter {
 public:
  WalProcessingOption LogRecordFound(unsigned long long /*log*/, const std::string& file,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch* /*changed*/,
                                     bool* /*has_changed*/) override {
    // A write begins with its sequence number (u64) and the count of its rows (u32), each of which takes one number.
    const std::string& bytes = batch.Data();
    const std::uint64_t first = little_endian(bytes, 0, 8);
    const std::uint64_t next = first + little_endian(bytes, 8, 4);
    if (!any_) first_ = first;
    if (any_ && first != next_ && gap_.empty())
      gap_ = fmt::format("write {} follows where write {} belongs, in {}", first, next_, file);
    any_ = true;
    next_ = next;
    return WalProcessingOption::kIgnoreCurrentRecord;
  }
  [[nodiscard]] const char* Name() const override { return "granary.sequence_check"; }

  // `tables`: the newest write that MANIFEST knows of.
  [[nodiscard]] std::string gap(std::uint64_t tables) const {
    if (any_ && first_ > tables + 1)
      return fmt::format("the write-ahead log begins with write {}, the tables end with {}", first_, tables);
    return gap_;
  }

 private:
  bool any_ = false;
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
  std::string gap_;
};

}  // namespace

rocksdb::Status check_continuity(rocksdb::Options options, const std::string& directory) {
  std::error_code trouble;
  if (!fs::exists(directory + "/CURRENT", trouble)) {
    for (const auto& entry : fs::directory_iterator(directory, trouble)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".sst" || extension == ".log")
        return rocksdb::Status::Corruption("CURRENT is missing beside " + entry.path().filename().string());
    }
    return rocksdb::Status::OK();
  }
  SequenceCheck check;
  options.wal_filter = &check;
  options.max_open_files = 16;  // so that no table is opened for this
  rocksdb::DB* opened = nullptr;
  if (auto status = rocksdb::DB::OpenForReadOnly(options, directory, &opened); !status.ok()) return status;
  const std::unique_ptr<rocksdb::DB> rows(opened);
  const std::string gap = check.gap(rows->GetLatestSequenceNumber());
  if (!gap.empty()) GRANARY_PROBE("writes are missing from a database");
  return gap.empty() ? rocksdb::Status::OK() : rocksdb::Status::Corruption("writes are missing: " + gap);
}

}  // namespace granary::rocks
