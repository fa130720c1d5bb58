// In one file, although above 400 lines: the writer thread, appends and reads share one state and one order of locks.
#include "shared/journal/embedded_journal.h"

#include <fmt/format.h>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <thread>

#include "shared/base/crash_point.h"
#include "shared/base/probe.h"
#include "shared/base/thread.h"
#include "shared/journal/append_rules.h"
#include "shared/journal/embedded_database.h"
#include "shared/proof/hash.h"

namespace granary::journal {
namespace {

// More than this waits for the next group, so that one group's memory stays bounded.
constexpr std::size_t kGroupBytesMax = 32 << 20;

struct OpenPartition {
  Partition partition;
  std::uint16_t topic = 0;
  Offset next = 0;             // the writer's
  std::atomic<Offset> end{0};  // durable: what readers may see
  bool grown = false;          // the writer's, within a group
};

struct Topic {
  explicit Topic(const TopicInfo& info, std::uint16_t number) : id(number), partitions(info.partitions) {
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      partitions[i].partition = {info.name, static_cast<std::uint16_t>(i)};
      partitions[i].topic = id;
    }
  }
  std::uint16_t id;
  std::vector<OpenPartition> partitions;
};

// One thing that waits for the writer: an append, a row of a topic, or the answer to what was refused at once.
struct Waiting {
  OpenPartition* open = nullptr;
  std::vector<RecordsRow> rows;
  std::size_t records = 0;
  std::size_t bytes = 0;
  Bytes key, value;  // of the topic's row
  Result<Offset> answer = Offset{0};
  Journal::AppendDone done;
};

Result<std::uint64_t> system_free_bytes(const std::string& directory) {
  std::error_code trouble;
  const auto space = std::filesystem::space(directory, trouble);  // statvfs
  if (trouble)
    return Error{ErrorCode::io_error, fmt::format("expected the free space of {}, got: {}; hint: check the disk",
                                                  directory, trouble.message())};
  return std::uint64_t{space.available};
}

class EmbeddedJournal final : public Journal {
 public:
  EmbeddedJournal(std::string directory, EmbeddedOptions options, std::unique_ptr<EmbeddedDatabase> database)
      : directory_(std::move(directory)), options_(std::move(options)), database_(std::move(database)) {}

  ~EmbeddedJournal() override {
    if (!writer_.joinable()) return;
    {
      const std::lock_guard lock(queue_mutex_);
      stopping_ = true;
    }
    queue_filled_.notify_one();
    writer_.join();
  }

  // Reads the topics and where each partition ends, and starts the writer.
  Result<void> start() {
    GRANARY_TRY(load_topics());
    for (const auto& [name, topic] : topics_)
      for (OpenPartition& open : topic->partitions) GRANARY_TRY(load_end(open));
    writer_ = std::thread([this] {
      enter_thread("journal", Urgency::prompt);
      write_groups();
    });
    return {};
  }

  Result<void> create_topic(const TopicInfo& topic) override {
    GRANARY_TRY(check_topic(topic));
    const std::lock_guard one_at_a_time(create_mutex_);
    std::uint16_t id = 0;
    {
      const std::shared_lock lock(topics_mutex_);
      if (const auto found = topics_.find(topic.name); found != topics_.end())
        return check_same_topic(topic, found->second->partitions.size());
      if (topics_.size() == UINT16_MAX)
        return Error{ErrorCode::invalid_input, "expected at most 65535 topics, got one more; hint: use fewer"};
      id = static_cast<std::uint16_t>(topics_.size() + 1);
    }
    std::promise<Result<Offsets>> promise;
    auto written = promise.get_future();
    Waiting row;
    row.key = topic_key_prefix() + topic.name;
    row.value = encode_topic({id, topic.partitions});
    row.done = [&promise](Result<Offsets> answer) { promise.set_value(std::move(answer)); };
    enqueue(std::move(row));
    GRANARY_TRY(written.get());
    const std::unique_lock lock(topics_mutex_);
    topics_.emplace(topic.name, std::make_unique<Topic>(topic, id));
    return {};
  }

  Result<std::vector<TopicInfo>> topics() const override {
    const std::shared_lock lock(topics_mutex_);
    std::vector<TopicInfo> all;
    for (const auto& [name, topic] : topics_)
      all.push_back({name, static_cast<std::uint16_t>(topic->partitions.size())});
    return all;
  }

  void append(const Partition& partition, std::vector<Record> records, AppendDone done) override {
    Waiting append;
    append.done = std::move(done);
    const auto open = find(partition);
    const auto bytes = check_records(records);
    if (!open.ok()) {
      append.answer = open.error();
    } else if (!bytes.ok()) {
      append.answer = bytes.error();
    } else {
      append.open = *open;
      append.records = records.size();
      append.rows = encode_records(records);  // on the caller's thread, because all appends share the writer's
      for (const RecordsRow& row : append.rows) append.bytes += row.value.size();
    }
    enqueue(std::move(append));
  }

  Result<void> read(const Partition& partition, Offset from, std::size_t bytes_max, ReadBatch& batch) const override {
    const auto found = find(partition);
    if (!found.ok()) return found.error();
    const OpenPartition& open = **found;
    const Offset end = open.end.load(std::memory_order_acquire);
    if (from > end) return read_beyond_end(partition, from, end);
    batch.first = from;
    batch.end = end;
    if (from == end) {
      batch.records.clear();
      return {};
    }
    const RecordKey end_key = record_key(open.topic, partition.number, end);
    const rocksdb::Slice upper(end_key.data(), end_key.size());
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> rows(database_->rows->NewIterator(options));
    const RecordKey first_key = record_key(open.topic, partition.number, from);
    rows->Seek({first_key.data(), first_key.size()});
    if (!rows->Valid() || rows->key().ToStringView() != view_of(first_key))
      rows->SeekForPrev({first_key.data(), first_key.size()});  // within a row
    std::size_t bytes = 0;
    std::size_t count = 0;
    RecordsReader row;
    for (bool full = false; rows->Valid() && !full; rows->Next()) {
      const BytesView key = rows->key().ToStringView();
      if (!is_of(open, key) || !row.open(rows->value().ToStringView())) return broken_record(partition, from + count);
      const Offset begins = first_offset(key);
      if (count == 0 ? begins > from || begins + row.left() <= from : begins != from + count)
        return broken_record(partition, from + count);
      for (Offset at = begins; count == 0 && at < from; ++at)
        if (!row.skip()) return broken_record(partition, from);
      while (row.left() > 0 && !full) {
        if (count == batch.records.size()) batch.records.emplace_back();
        Record& record = batch.records[count];
        if (!row.next(record)) return broken_record(partition, from + count);
        bytes += record.value.size();
        full = count > 0 && bytes > bytes_max;
        if (!full) ++count;
      }
    }
    if (const auto status = rows->status(); !status.ok())
      return error_of(status, fmt::format("read {}/{} in {}", partition.topic, partition.number, directory_));
    if (count == 0) return broken_record(partition, from);
    batch.records.resize(count);
    return {};
  }

  Result<Offset> end(const Partition& partition) const override {
    const auto open = find(partition);
    if (!open.ok()) return open.error();
    return (*open)->end.load(std::memory_order_acquire);
  }

  void set_listener(Listener listener) override {
    const std::lock_guard lock(listener_mutex_);
    listener_ = std::move(listener);
  }

 private:
  Error broken_record(const Partition& partition, Offset offset) const {
    return {ErrorCode::corrupt, fmt::format("expected record {} of {}/{} in {}, found none or broken bytes; hint: "
                                            "restore the journal's directory from backup",
                                            offset, partition.topic, partition.number, directory_)};
  }

  static bool is_of(const OpenPartition& open, BytesView key) {
    const RecordKey first = record_key(open.topic, open.partition.number, 0);
    return key.size() == first.size() && key.starts_with(view_of(first).substr(0, 4));
  }
  static Offset first_offset(BytesView key) { return read_u64(key.substr(4)); }

  Result<OpenPartition*> find(const Partition& partition) const {
    const std::shared_lock lock(topics_mutex_);
    const auto found = topics_.find(partition.topic);
    if (found == topics_.end()) return unknown_topic(partition);
    auto& partitions = found->second->partitions;
    if (partition.number >= partitions.size()) return unknown_partition(partition, partitions.size());
    return &partitions[partition.number];
  }

  Result<void> load_topics() {
    const Bytes prefix = topic_key_prefix();
    const Bytes prefix_stop = prefix_end(prefix);
    const rocksdb::Slice upper(prefix_stop);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> rows(database_->rows->NewIterator(options));
    for (rows->Seek(prefix); rows->Valid(); rows->Next()) {
      const std::string name(rows->key().ToStringView().substr(prefix.size()));
      const auto row = decode_topic(rows->value().ToStringView());
      if (!row)
        return Error{ErrorCode::corrupt, fmt::format("expected the row of topic {} in {}, found broken bytes; hint: "
                                                     "restore the journal's directory from backup",
                                                     name, directory_)};
      topics_.emplace(name, std::make_unique<Topic>(TopicInfo{name, row->partitions}, row->id));
    }
    if (!rows->status().ok()) return error_of(rows->status(), "read the topics in " + directory_);
    return {};
  }

  Result<void> load_end(OpenPartition& open) {
    const RecordKey last = record_key(open.topic, open.partition.number, UINT64_MAX);
    const std::unique_ptr<rocksdb::Iterator> rows(database_->rows->NewIterator(rocksdb::ReadOptions()));
    rows->SeekForPrev({last.data(), last.size()});
    if (!rows->status().ok()) return error_of(rows->status(), "read the end of " + open.partition.topic);
    if (!rows->Valid()) return {};
    const BytesView key = rows->key().ToStringView();
    if (!is_of(open, key)) return {};
    RecordsReader row;
    if (!row.open(rows->value().ToStringView())) return broken_record(open.partition, first_offset(key));
    open.next = first_offset(key) + row.left();
    open.end = open.next;
    return {};
  }

  void enqueue(Waiting waiting) {
    {
      const std::lock_guard lock(queue_mutex_);
      queue_.push_back(std::move(waiting));
    }
    queue_filled_.notify_one();
  }

  // Runs on the writer's thread until the destructor asks it to stop and nothing waits any more.
  void write_groups() {
    std::vector<Waiting> group;
    for (;;) {
      group.clear();
      {
        std::unique_lock lock(queue_mutex_);
        queue_filled_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        for (std::size_t bytes = 0; !queue_.empty() && bytes < kGroupBytesMax; queue_.pop_front()) {
          bytes += queue_.front().bytes;
          group.push_back(std::move(queue_.front()));
        }
      }
      const auto written = write_group(group);
      if (!written.ok())
        for (Waiting& one : group)
          if (one.answer.ok()) one.answer = written.error();
      answer(group, written.ok());
    }
  }

  // Writes the appends of `group` that are not refused. After an error none of them may be acknowledged.
  Result<void> write_group(std::vector<Waiting>& group) {
    const bool empty = std::none_of(group.begin(), group.end(), [](const Waiting& one) { return one.answer.ok(); });
    if (empty) return {};
    if (failed_) {
      GRANARY_PROBE("an append comes to a log whose write has failed");
      return *failed_;
    }
    GRANARY_TRY(check_reserve());
    batch_.Clear();
    for (Waiting& one : group)
      if (one.answer.ok()) add_to_batch(one);
    auto written = commit_batch();
    if (!written.ok())
      failed_ = Error{written.error().code,
                      "expected an open journal, but an earlier write failed and none is tried until"
                      " it is opened again: " +
                          written.error().message};
    return written;
  }

  Result<void> check_reserve() const {
    const auto free_bytes = options_.free_bytes ? options_.free_bytes(directory_) : system_free_bytes(directory_);
    if (!free_bytes.ok()) return free_bytes.error();
    if (*free_bytes < options_.reserve_bytes) GRANARY_PROBE("the disk of the embedded log is full to its reserve");
    if (*free_bytes < options_.reserve_bytes)
      return Error{
          ErrorCode::out_of_space,
          fmt::format("expected at least {} bytes free for {}, got {}; hint: free some space, then append again",
                      options_.reserve_bytes, directory_, *free_bytes)};
    return {};
  }

  void add_to_batch(Waiting& one) {
    if (one.open == nullptr) {
      batch_.Put(one.key, one.value);
      return;
    }
    OpenPartition& open = *one.open;
    one.answer = open.next;
    for (const RecordsRow& row : one.rows) {
      const RecordKey key = record_key(open.topic, open.partition.number, open.next);
      batch_.Put({key.data(), key.size()}, row.value);
      open.next += row.records;
    }
  }

  Result<void> commit_batch() {
    crash_point("journal.before_write");
    GroupRow row;
    row.group = newest().group + 1;
    row.before = newest().hash;
    row.hash = proof::chain(row.before, batch_.Data());
    batch_.Put(group_key(), encode_group(row));
    rocksdb::WriteOptions options;
    options.sync = true;
    if (const auto status = database_->rows->Write(options, &batch_); !status.ok())
      return error_of(status, "write to the journal in " + directory_);
    crash_point("journal.after_write");
    GRANARY_TRY(database_->head.write({row.group, row.hash}));
    database_->newest = row;
    crash_point("journal.after_head");
    return {};
  }

  static Result<Offsets> offsets_of(const Waiting& one) {
    if (!one.answer.ok()) return one.answer.error();
    Offsets offsets(one.records);
    std::iota(offsets.begin(), offsets.end(), *one.answer);
    return offsets;
  }

  // Shows the records to readers, then answers the appends and tells the listener.
  void answer(std::vector<Waiting>& group, bool written) {
    if (written) {
      for (Waiting& one : group) {
        if (one.open == nullptr) continue;
        one.open->end.store(*one.answer + one.records, std::memory_order_release);
        one.open->grown = true;
      }
    }
    for (Waiting& one : group)
      if (auto done = std::move(one.done)) done(offsets_of(one));
    if (!written) return;
    const std::lock_guard lock(listener_mutex_);
    for (Waiting& one : group) {
      if (one.open == nullptr || !std::exchange(one.open->grown, false)) continue;
      if (listener_) listener_(one.open->partition);
    }
  }

  [[nodiscard]] const GroupRow& newest() const { return database_->newest; }

  const std::string directory_;
  const EmbeddedOptions options_;
  const std::unique_ptr<EmbeddedDatabase> database_;

  std::mutex create_mutex_;
  mutable std::shared_mutex topics_mutex_;
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;  // a topic and its partitions never move or go

  // Held while the listener runs, so that it is not called any more once set_listener has returned. Recursive: the
  // listener may clear itself.
  std::recursive_mutex listener_mutex_;
  Listener listener_;

  std::mutex queue_mutex_;
  std::condition_variable queue_filled_;
  std::deque<Waiting> queue_;
  bool stopping_ = false;

  // The writer's.
  rocksdb::WriteBatch batch_;
  std::optional<Error> failed_;
  std::thread writer_;
};

}  // namespace

Result<std::unique_ptr<Journal>> open_embedded_journal(const std::string& directory, EmbeddedOptions options) {
  auto database = open_embedded_database(directory, options);
  if (!database.ok()) return database.error();
  auto journal = std::make_unique<EmbeddedJournal>(directory, std::move(options), std::move(*database));
  GRANARY_TRY(journal->start());
  return std::unique_ptr<Journal>(std::move(journal));
}

}  // namespace granary::journal
