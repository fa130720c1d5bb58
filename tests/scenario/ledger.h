// A whole ledger as one process has it: the four real machines under the real runtime, over any log and any stores.
// What is appended is folded, and all that came of it has arrived, when a function returns. It may stop and start again
// between any two calls, as a process does, and what it was told stays told. One thread.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shared/journal/journal.h"
#include "shared/runtime/replay.h"
#include "shared/runtime/runtime.h"
#include "shared/store/memory_states.h"
#include "tests/support/temp_directory.h"

namespace granary::scenario {

using machine::MachineKind;
using machine::Topic;
using runtime::ShardName;

class Ledger {
 public:
  struct Options {
    std::uint16_t partitions = 2;
    std::size_t commit_events_max = 50'000;
    std::size_t checkpoint_records = 10'000;
    std::uint64_t step_bytes = 8U << 20;
    // Opens the log, at each start; after a stop nothing of it is held. Not set: one in memory, which stays.
    std::function<std::shared_ptr<journal::Journal>()> open_journal = nullptr;
    // Where the states lie. Not set: in memory.
    std::shared_ptr<store::States> states = nullptr;
  };
  // Makes the ledger in its log, and starts.
  explicit Ledger(const Options& options);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // A tick to every inbox; raw events are recorded at this time from now on.
  void tick(units::Instant now);
  [[nodiscard]] units::Instant now() const { return now_; }
  // A raw event under its (source, id); usage goes by it, all else to intake. What became of it.
  machine::Outcome send(const std::string& source, const std::string& id, const events::Event& event);

  // Runs on the owner of a shard and waits for it.
  template <class M, class Question>
  void ask(MachineKind kind, std::uint16_t shard, const Question& question) {
    ask_any({kind, shard},
            [&question](machine::Machine& rules, const runtime::ShardStatus&) { question(static_cast<M&>(rules)); });
  }
  template <class M, class Question>
  void ask_each(MachineKind kind, const Question& question) {
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, partitions_); ++shard) ask<M>(kind, shard, question);
  }
  [[nodiscard]] std::uint16_t shard_of(const std::string& key) const;
  // What an outward stream has got since it was last asked, partition by partition.
  std::vector<journal::Record> news(Topic outward);
  // Called when all that was appended has arrived.
  std::function<void()> on_settled;
  // The rows of a shard whose state lies in memory, while nothing is appended.
  [[nodiscard]] const store::View& rows(MachineKind kind, std::uint16_t shard) const;
  // Every record of every inbox as a line of text: topic, partition, base16.
  [[nodiscard]] std::string inboxes() const;

  // All shards, in the order of the flow.
  [[nodiscard]] const std::vector<ShardName>& shards() const { return shards_; }
  // The process ends; between this and start() only what follows may be called.
  void stop();
  // It begins again, and folds what its state lacks of the log.
  void start();
  void delete_state(const ShardName& shard);
  // The rows of a shard as they lie on the disk, to look at or to write over.
  void with_state(const ShardName& shard, const std::function<void(store::Store&)>& use);

 private:
  using Question = std::function<void(machine::Machine&, const runtime::ShardStatus&)>;
  // How far a shard is known to be, and what is known to be under way to it.
  struct Known {
    std::uint64_t position = 0;
    std::map<ShardName, std::uint64_t> lanes;  // the numbers of the last events that left for it
    std::map<ShardName, std::uint64_t> due;    // of these, what it may not have folded yet
  };
  void ask_any(const ShardName& shard, const Question& question);
  std::uint64_t append(const journal::Partition& partition, Bytes record);
  void settle();
  void settle(const ShardName& shard);
  template <class Answer>
  Answer wait(std::promise<Answer>& promise);
  void check_shards();

  Options options_;
  std::uint16_t partitions_;
  std::vector<ShardName> shards_;
  testing_support::TempDirectory markers_;
  std::shared_ptr<store::MemoryStates> memory_;  // where no states were given
  std::shared_ptr<journal::Journal> journal_;
  std::unique_ptr<runtime::Runtime> runtime_;
  units::Instant now_;
  std::map<journal::Partition, std::uint64_t> told_;
  std::map<ShardName, Known> known_;
};

}  // namespace granary::scenario
