// A ledger in memory with four toy machines under the real runtime: the journal and the stores stand for disks, start()
// and stop() for the process between. What must come of the events that were appended is computed beside, so that
// check() can say whether each counted exactly once, in the rows and on the outward streams.
//
// Threads: one, the test's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "shared/journal/memory_journal.h"
#include "shared/runtime/runtime.h"
#include "shared/store/memory_states.h"
#include "tests/support/temp_directory.h"
#include "tests/support/toy_machine.h"

namespace granary::test {

using Shard = std::pair<machine::MachineKind, std::uint16_t>;

class ToyLedger {
 public:
  explicit ToyLedger(std::uint16_t partitions = 2);
  ~ToyLedger();

  runtime::Options options;
  journal::MemoryJournal journal;
  journal::Journal* door = &journal;    // how the process gets to it
  std::map<Shard, std::int64_t> added;  // ToyMachine's, for builds that disagree
  machine::RowForm rows;                // ToyMachine's, for builds whose rows have another form
  store::MemoryStates states;           // the disk of all stores
  std::unique_ptr<runtime::Runtime> runtime;
  testing_support::TempDirectory directory;
  std::string markers = directory.path();

  // Starts the process. An error where the runtime refuses to.
  Result<void> start();
  // Ends it in order.
  void stop();
  // Ends it as kill -9 would: appends that were held are forgotten, each store loses up to `commits` commits.
  void crash(const std::function<std::size_t(Shard)>& commits);
  void wipe(const Shard& shard) { states.forget(runtime::name_of(shard)); }
  void wipe_all() { states.forget_all(); }
  // The store of a shard, an empty one where it has none yet.
  store::MemoryStore& store(const Shard& shard) { return states.state(runtime::name_of(shard)); }
  // How often start() was asked to delete a shard's state.
  [[nodiscard]] std::map<Shard, int> wiped() const;

  // Appends one record to the inbox of a shard and waits for the answer; its place.
  runtime::Place append(machine::Topic topic, std::uint16_t partition, Bytes record);
  // A usage in its shard: counted once by id in what is expected.
  runtime::Place usage(const std::string& id, const std::string& project, std::int64_t amount);
  // To every inbox partition, without waiting: some may be held.
  void tick(std::int64_t ms);

  // Waits until all inboxes but those of parked shards are folded, committed and all that came of it is acknowledged.
  // False: not within the time limit.
  bool settle();
  // What fatal() was told, once it was.
  bool wait_fatal(Error& error);
  [[nodiscard]] std::size_t fatal_calls() const;

  // Runs on the owner's thread and waits for it.
  void ask(const Shard& shard, const std::function<void(ToyMachine&, const runtime::ShardStatus&)>& question);
  runtime::ShardStatus status(const Shard& shard);
  [[nodiscard]] std::vector<Shard> shards() const;
  [[nodiscard]] std::vector<journal::Record> records(const journal::Partition& partition) const;
  [[nodiscard]] static journal::Partition partition(machine::Topic topic, std::uint16_t number) {
    return {std::string(machine::topic_name(topic)), number};
  }
  // Of all shards' rows; the process must have ended.
  std::map<Shard, std::string> digests();

  // After settle(): the billing rows hold each usage once, the billing stream tells the same, and every outward
  // partition has each number once and in order. Fails the test otherwise.
  void check();
  // The outward part of it alone: allowed at any time.
  void check_outward() const;

 private:
  std::uint16_t partitions_;
  std::map<std::string, std::pair<std::string, std::int64_t>> usages_;  // id: organisation and amount
  struct Fatal;
  std::shared_ptr<Fatal> fatal_;
};

}  // namespace granary::test
