// Answers the doors' questions from the rows of each shard's newest commit, on a thread of its own: a question does not
// wait for a fold or a commit, and no fold waits for a question.
//
// Threads: add() before start(); ask() from any thread; questions run on the thread that this starts and must be short.
// Ownership: it has a copy of each machine that is asked, of which only the rows are opened, and the old states. The
// other stores outlive stop().
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <thread>

#include "shared/runtime/runtime.h"
#include "shared/shard/mailbox.h"

namespace granary::runtime {

class QuestionThread {
 public:
  using Question = std::function<void(Machine&, const AsOf&)>;

  QuestionThread(std::uint16_t partitions, MakeMachine make_machine, std::string marker_directory)
      : partitions_(partitions),
        make_machine_(std::move(make_machine)),
        marker_directory_(std::move(marker_directory)) {}
  ~QuestionThread() { stop(); }
  QuestionThread(const QuestionThread&) = delete;
  QuestionThread& operator=(const QuestionThread&) = delete;

  void add(const ShardName& shard, const store::Store& rows) { shards_[shard].rows = &rows; }
  // The shard folds again: until pass_old() `old` answers, or nothing does (nullptr). Before start().
  void add_old(const ShardName& shard, std::unique_ptr<store::Store> old);
  void start();
  // Questions that still wait are dropped.
  void stop();
  // False: the question is dropped, because the shard folds again and there is no old state to answer.
  [[nodiscard]] bool ask(const ShardName& shard, Question question);
  // Every ask() from now on sees the rows of add(). Calls `closed` on this thread once the old store is closed;
  // never, after stop(). Any thread.
  void pass_old(const ShardName& shard, std::function<void()> closed);

  // Writes down that an old state broke a law, if the calling thread is reading one. For the handler of broken laws.
  static void note_broken_law(const std::string& message);

 private:
  struct Shard {
    const store::Store* rows = nullptr;
    std::unique_ptr<Machine> machine;  // made for the first question
    std::unique_ptr<store::Store> old;
    std::atomic<bool> waits = false;  // for rows that can be read
  };
  void answer(const ShardName& name, Shard& shard, const Question& question);

  std::uint16_t partitions_;
  MakeMachine make_machine_;
  std::string marker_directory_;
  std::map<ShardName, Shard> shards_;
  Mailbox mailbox_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace granary::runtime
