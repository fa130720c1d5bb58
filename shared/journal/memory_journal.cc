#include "shared/journal/memory_journal.h"

#include <iterator>
#include <numeric>

#include "shared/base/check.h"
#include "shared/journal/append_rules.h"

namespace granary::journal {

Result<void> MemoryJournal::create_topic(const TopicInfo& topic) {
  GRANARY_TRY(check_topic(topic));
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic.name);
  if (found != topics_.end()) return check_same_topic(topic, found->second.size());
  topics_[topic.name].resize(topic.partitions);
  return {};
}

Result<std::vector<TopicInfo>> MemoryJournal::topics() const {
  const std::lock_guard lock(mutex_);
  std::vector<TopicInfo> all;
  for (const auto& [name, partitions] : topics_) all.push_back({name, static_cast<std::uint16_t>(partitions.size())});
  return all;
}

void MemoryJournal::append(const Partition& partition, std::vector<Record> records, AppendDone done) {
  const auto fit = check_records(records);
  std::unique_lock lock(mutex_);
  const auto found = find(partition);
  if (!found.ok() || !fit.ok()) {
    calls_.push_back({std::move(done), found.ok() ? fit.error() : found.error(), std::nullopt});
  } else if ((*found)->delaying) {
    (*found)->waiting.push_back({std::move(records), std::move(done)});
  } else {
    carry_out(partition, **found, {std::move(records), std::move(done)});
  }
  call_back(lock);
}

Result<void> MemoryJournal::read(const Partition& partition, Offset from, std::size_t bytes_max,
                                 ReadBatch& batch) const {
  const std::lock_guard lock(mutex_);
  const auto found = find(partition);
  if (!found.ok()) return found.error();
  const auto& records = (*found)->records;
  if (from > records.size()) return read_beyond_end(partition, from, records.size());
  batch.first = from;
  batch.end = records.size();
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (Offset at = from; at < records.size(); ++at, ++count) {
    bytes += records[at].value.size();
    if (count > 0 && bytes > bytes_max) break;
    if (count < batch.records.size()) {
      batch.records[count] = records[at];
    } else {
      batch.records.push_back(records[at]);
    }
  }
  batch.records.resize(count);
  return {};
}

Result<Offset> MemoryJournal::end(const Partition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = find(partition);
  if (!found.ok()) return found.error();
  return Offset{(*found)->records.size()};
}

void MemoryJournal::set_listener(Listener listener) {
  const std::lock_guard lock(listener_mutex_);
  listener_ = std::move(listener);
}

void MemoryJournal::fail_next_append(const Partition& partition, Fault fault, Error error) {
  const std::lock_guard lock(mutex_);
  must_find(partition).faults.emplace_back(fault, std::move(error));
}

void MemoryJournal::delay(const Partition& partition) {
  const std::lock_guard lock(mutex_);
  must_find(partition).delaying = true;
}

bool MemoryJournal::release_one(const Partition& partition) {
  std::unique_lock lock(mutex_);
  PartitionRecords& found = must_find(partition);
  if (found.waiting.empty()) return false;
  auto append = std::move(found.waiting.front());
  found.waiting.pop_front();
  carry_out(partition, found, std::move(append));
  call_back(lock);
  return true;
}

void MemoryJournal::release(const Partition& partition) {
  std::unique_lock lock(mutex_);
  PartitionRecords& found = must_find(partition);
  found.delaying = false;
  for (auto& append : std::exchange(found.waiting, {})) carry_out(partition, found, std::move(append));
  call_back(lock);
}

void MemoryJournal::truncate(const Partition& partition, Offset end) {
  const std::lock_guard lock(mutex_);
  auto& records = must_find(partition).records;
  GRANARY_CHECK(end <= records.size(), "truncate() to an offset beyond the end");
  records.resize(end);
}

void MemoryJournal::crash() {
  set_listener(nullptr);
  const std::lock_guard lock(mutex_);
  for (auto& [name, partitions] : topics_) {
    for (PartitionRecords& found : partitions) {
      found.waiting.clear();
      found.faults.clear();
      found.delaying = false;
    }
  }
}

Result<MemoryJournal::PartitionRecords*> MemoryJournal::find(const Partition& partition) const {
  const auto found = topics_.find(partition.topic);
  if (found == topics_.end()) return unknown_topic(partition);
  if (partition.number >= found->second.size()) return unknown_partition(partition, found->second.size());
  return &found->second[partition.number];
}

MemoryJournal::PartitionRecords& MemoryJournal::must_find(const Partition& partition) {
  return **find(partition);
}

void MemoryJournal::carry_out(const Partition& partition, PartitionRecords& found, Waiting append) {
  std::optional<std::pair<Fault, Error>> fault;
  if (!found.faults.empty()) {
    fault = std::move(found.faults.front());
    found.faults.pop_front();
  }
  if (fault && fault->first == Fault::before_write) {
    calls_.push_back({std::move(append.done), std::move(fault->second), std::nullopt});
    return;
  }
  const Offset first = found.records.size();
  found.records.insert(found.records.end(), std::make_move_iterator(append.records.begin()),
                       std::make_move_iterator(append.records.end()));
  Offsets offsets(append.records.size());
  std::iota(offsets.begin(), offsets.end(), first);
  auto answer = fault ? Result<Offsets>(std::move(fault->second)) : Result<Offsets>(std::move(offsets));
  calls_.push_back({std::move(append.done), std::move(answer), partition});
}

void MemoryJournal::call_back(std::unique_lock<std::mutex>& lock) {
  if (calling_) return;
  calling_ = true;
  while (!calls_.empty()) {
    Call call = std::move(calls_.front());
    calls_.pop_front();
    lock.unlock();
    call.done(std::move(call.answer));
    if (call.grown) {
      const std::lock_guard listener_lock(listener_mutex_);
      if (listener_) listener_(*call.grown);
    }
    call.done = nullptr;  // what it holds may belong to the journal's user: let go of it outside the lock
    lock.lock();
  }
  calling_ = false;
}

}  // namespace granary::journal
