// A whole ledger in memory: the four real machines under the real runtime, over a memory journal and memory stores.
// What is appended is folded, and all that came of it has arrived, when a function returns. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shared/journal/memory_journal.h"
#include "shared/runtime/replay.h"
#include "shared/runtime/runtime.h"
#include "shared/store/memory_states.h"
#include "tests/support/temp_directory.h"

namespace granary::scenario {

using machine::MachineKind;
using machine::Topic;

class Ledger {
 public:
  struct Options {
    std::uint16_t partitions = 2;
    std::size_t commit_events_max = 50'000;
  };
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
    ask_any(kind, shard,
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
  // The rows of a shard, while nothing is appended.
  [[nodiscard]] const store::View& rows(MachineKind kind, std::uint16_t shard) {
    return states_.state(runtime::name_of({kind, shard}));
  }
  // Every record of every inbox as a line of text: topic, partition, base16.
  [[nodiscard]] std::string inboxes() const;

 private:
  using Question = std::function<void(machine::Machine&, const runtime::ShardStatus&)>;
  void ask_any(MachineKind kind, std::uint16_t shard, const Question& question);
  std::uint64_t append(const journal::Partition& partition, Bytes record);
  void settle();

  std::uint16_t partitions_;
  testing_support::TempDirectory markers_;
  journal::MemoryJournal journal_;
  store::MemoryStates states_;
  std::unique_ptr<runtime::Runtime> runtime_;
  units::Instant now_;
  std::map<journal::Partition, std::uint64_t> told_;
};

}  // namespace granary::scenario
