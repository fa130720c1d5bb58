// Who waits for a shard to have done something, and is told on the shard's own thread.
//
// Threads: the shard's owner. May touch: nothing. Ownership: a wait is forgotten once its `alive` is gone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "shared/base/result.h"
#include "shared/journal/journal.h"
#include "shared/shard/needs.h"

namespace granary::runtime {

class Shard;

class Waits {
 public:
  // Calls `done` once `met` holds.
  void add(std::weak_ptr<void> alive, std::function<bool(Shard&)> met, std::function<void(Shard&)> done);
  // The same for `needs`; or `done` with nullopt if the inbox is found to end before the position, which is asked after
  // `doubt_after`.
  void add(std::weak_ptr<void> alive, Needs needs, Met done, std::chrono::milliseconds doubt_after);

  // Tells those whose time has come, and forgets those that nobody waits for any more.
  void run(Shard& shard);
  // Tells those in vain that wait for a place behind the end of the inbox. `end`: what is known of it, which is asked
  // again with `ask_end` if anybody is in doubt.
  void end_in_vain(std::uint64_t& end, std::chrono::milliseconds doubt_after,
                   const std::function<Result<journal::Offset>()>& ask_end);

 private:
  struct Wait {
    std::weak_ptr<void> alive;
    std::function<bool(Shard&)> met;
    std::function<void(Shard&)> done;
    // Of a wait for a position: who is told that the inbox ends before it, and when to ask.
    std::uint64_t position = 0;
    std::function<void()> in_vain = nullptr;
    std::chrono::steady_clock::time_point doubt_at{};
  };
  std::vector<Wait> waits_;
};

}  // namespace granary::runtime
