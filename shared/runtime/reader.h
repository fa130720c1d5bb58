// Answers the doors' questions from the rows of each shard's newest commit, on a thread of its own: a question waits
// for no fold, no commit and no core that folds, and no fold waits for a question.
//
// Threads: add() before start(); ask() from any thread; questions run on the reader's thread and must be short.
// Ownership: a copy of each machine that is asked, of which only the rows are opened. The stores outlive the reader's
// stop().
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <thread>

#include "shared/runtime/mailbox.h"
#include "shared/runtime/runtime.h"

namespace granary::runtime {

class Reader {
 public:
  using Question = std::function<void(Machine&, const AsOf&)>;

  Reader(std::uint16_t partitions, MakeMachine make_machine)
      : partitions_(partitions), make_machine_(std::move(make_machine)) {}
  ~Reader() { stop(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void add(const ShardName& shard, const store::Store& rows) { shards_[shard].rows = &rows; }
  void start();
  // Questions that still wait are dropped.
  void stop();
  void ask(const ShardName& shard, Question question);

 private:
  struct Shard {
    const store::Store* rows = nullptr;
    std::unique_ptr<Machine> machine;  // made for the first question
  };
  void answer(const ShardName& name, Shard& shard, const Question& question);

  std::uint16_t partitions_;
  MakeMachine make_machine_;
  std::map<ShardName, Shard> shards_;
  Mailbox mailbox_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace granary::runtime
