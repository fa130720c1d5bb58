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
  for (const auto& [name, logs] : topics_) all.push_back({name, static_cast<std::uint16_t>(logs.size())});
  return all;
}

void MemoryJournal::append(const Partition& partition, std::vector<Record> records, AppendDone done) {
  const auto fit = check_records(records);
  std::unique_lock lock(mutex_);
  const auto log = find(partition);
  if (!log.ok() || !fit.ok()) {
    calls_.push_back({std::move(done), log.ok() ? fit.error() : log.error(), std::nullopt});
  } else if ((*log)->holding) {
    (*log)->held.push_back({std::move(records), std::move(done)});
  } else {
    carry_out(partition, **log, {std::move(records), std::move(done)});
  }
  call_back(lock);
}

Result<void> MemoryJournal::read(const Partition& partition, Offset from, std::size_t bytes_max,
                                 ReadBatch& batch) const {
  const std::lock_guard lock(mutex_);
  const auto log = find(partition);
  if (!log.ok()) return log.error();
  const auto& records = (*log)->records;
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
  const auto log = find(partition);
  if (!log.ok()) return log.error();
  return Offset{(*log)->records.size()};
}

void MemoryJournal::set_listener(Listener listener) {
  const std::lock_guard lock(listener_mutex_);
  listener_ = std::move(listener);
}

void MemoryJournal::fail_next_append(const Partition& partition, Fault fault, Error error) {
  const std::lock_guard lock(mutex_);
  must_find(partition).faults.emplace_back(fault, std::move(error));
}

void MemoryJournal::hold(const Partition& partition) {
  const std::lock_guard lock(mutex_);
  must_find(partition).holding = true;
}

bool MemoryJournal::release_one(const Partition& partition) {
  std::unique_lock lock(mutex_);
  Log& log = must_find(partition);
  if (log.held.empty()) return false;
  auto append = std::move(log.held.front());
  log.held.pop_front();
  carry_out(partition, log, std::move(append));
  call_back(lock);
  return true;
}

void MemoryJournal::release(const Partition& partition) {
  std::unique_lock lock(mutex_);
  Log& log = must_find(partition);
  log.holding = false;
  for (auto& append : std::exchange(log.held, {})) carry_out(partition, log, std::move(append));
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
  for (auto& [name, logs] : topics_) {
    for (Log& log : logs) {
      log.held.clear();
      log.faults.clear();
      log.holding = false;
    }
  }
}

Result<MemoryJournal::Log*> MemoryJournal::find(const Partition& partition) const {
  const auto found = topics_.find(partition.topic);
  if (found == topics_.end()) return unknown_topic(partition);
  if (partition.number >= found->second.size()) return unknown_partition(partition, found->second.size());
  return &found->second[partition.number];
}

MemoryJournal::Log& MemoryJournal::must_find(const Partition& partition) {
  return **find(partition);
}

void MemoryJournal::carry_out(const Partition& partition, Log& log, Waiting append) {
  std::optional<std::pair<Fault, Error>> fault;
  if (!log.faults.empty()) {
    fault = std::move(log.faults.front());
    log.faults.pop_front();
  }
  if (fault && fault->first == Fault::before_write) {
    calls_.push_back({std::move(append.done), std::move(fault->second), std::nullopt});
    return;
  }
  const Offset first = log.records.size();
  log.records.insert(log.records.end(), std::make_move_iterator(append.records.begin()),
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
