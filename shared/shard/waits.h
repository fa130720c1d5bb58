// Those who wait until a shard has done something. They are told on the shard's own thread.
//
// Threads: the shard's owner. May touch: nothing. Ownership: a wait is forgotten after its `alive` has expired.
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
  // The same for `needs`. After `doubt_after` the log is asked for the end of the inbox; if it ends before the
  // position, `done` gets nullopt.
  void add(std::weak_ptr<void> alive, Needs needs, Met done, std::chrono::milliseconds doubt_after);

  // Tells those whose condition holds, and forgets those whose `alive` has expired.
  void run(Shard& shard);
  // Tells those who wait for a place after the end of the inbox that they wait in vain. `end` is the end as far as it
  // is known; if somebody has waited longer than `doubt_after`, `ask_end` is asked and `end` is updated.
  void end_in_vain(std::uint64_t& end, std::chrono::milliseconds doubt_after,
                   const std::function<Result<journal::Offset>()>& ask_end);

 private:
  struct Wait {
    std::weak_ptr<void> alive;
    std::function<bool(Shard&)> met;
    std::function<void(Shard&)> done;
    // Of a wait for a position: whom to tell that the inbox ends before it, and when to ask for its end.
    std::uint64_t position = 0;
    std::function<void()> in_vain = nullptr;
    std::chrono::steady_clock::time_point doubt_at{};
  };
  std::vector<Wait> waits_;
};

}  // namespace granary::runtime
