// The log in memory, for tests and simulation, with faults to order. It forgets everything with the object, so the
// object stands for the disk: a simulated process that dies calls crash() and the next one uses the same object.
//
// Threads: as the port. `done` and the listener run on the thread that appends (or releases), before that call returns,
// one at a time and in the order of the log. If another thread is already calling, or if a callback itself appends, the
// new callbacks wait for the present one to return and are then called by the same thread.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shared/journal/journal.h"

namespace granary::journal {

class MemoryJournal final : public Journal {
 public:
  // When an ordered failure happens. In both cases `done` receives the error; in the second the records are stored.
  enum class Fault { before_write, after_write };

  MemoryJournal() = default;
  MemoryJournal(const MemoryJournal&) = delete;
  MemoryJournal& operator=(const MemoryJournal&) = delete;

  Result<void> create_topic(const TopicInfo& topic) override;
  Result<std::vector<TopicInfo>> topics() const override;
  void append(const Partition& partition, std::vector<Record> records, AppendDone done) override;
  Result<void> read(const Partition& partition, Offset from, std::size_t bytes_max, ReadBatch& batch) const override;
  Result<Offset> end(const Partition& partition) const override;
  void set_listener(Listener listener) override;

  // For all below the partition must exist.

  // The next append that is carried out on `partition` fails with `error`. Orders queue up.
  void fail_next_append(const Partition& partition, Fault fault, Error error);
  // Keeps appends back from now on: neither written nor answered.
  void delay(const Partition& partition);
  // Carries out the oldest append that waits. False: there is none.
  bool release_one(const Partition& partition);
  // Carries out all appends that wait, and delays no more.
  void release(const Partition& partition);
  // Forgets the records from `end` on, as a broken disk would: for tests of readers. `end` is at most the present one.
  void truncate(const Partition& partition, Offset end);

  // The process that used this journal died: appends that wait are forgotten without an answer, nothing is delayed any
  // longer, ordered faults and the listener are gone. What was written remains.
  void crash();

 private:
  struct Waiting {
    std::vector<Record> records;
    AppendDone done;
  };
  struct PartitionRecords {
    std::vector<Record> records;
    std::deque<Waiting> waiting;
    std::deque<std::pair<Fault, Error>> faults;
    bool delaying = false;
  };
  struct Call {
    AppendDone done;
    Result<Offsets> answer;
    std::optional<Partition> grown;
  };

  Result<PartitionRecords*> find(const Partition& partition) const;
  PartitionRecords& must_find(const Partition& partition);
  void carry_out(const Partition& partition, PartitionRecords& found, Waiting append);
  void call_back(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  // Partitions of a topic are never added or removed; std::map never moves them.
  mutable std::map<std::string, std::vector<PartitionRecords>, std::less<>> topics_;
  std::deque<Call> calls_;
  bool calling_ = false;
  // Held while the listener runs, so that it is not called any more once set_listener has returned. Recursive: the
  // listener may clear itself.
  std::recursive_mutex listener_mutex_;
  Listener listener_;
};

}  // namespace granary::journal
