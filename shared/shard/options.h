// How a shard folds, commits and publishes, and what makes its machine. Values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "shared/machine/machine.h"

namespace granary::runtime {

using MakeMachine = std::function<std::unique_ptr<machine::Machine>(machine::MachineKind, std::uint16_t shard)>;

struct ShardOptions {
  // A commit falls due after so many events or bytes of records; earlier where the inbox has nothing more to read and
  // the last commit was so long ago: a lone event is committed at once, and where many come, they share commits.
  std::chrono::milliseconds commit_pause{2};
  // Nor does a read or the next machine wait longer for what is folded, where each look at the inbox finds more.
  std::chrono::milliseconds commit_age_max{500};
  std::size_t commit_events_max = 10'000;    // in larger ones, whoever waits for a commit waits longer
  std::size_t commit_bytes_max = 32U << 20;  // bounds the memory of what is not committed
  // A checkpoint of an inbox follows a commit once so many records or bytes of it were folded since the last one.
  std::size_t checkpoint_records = 10'000;
  std::size_t checkpoint_bytes = 16U << 20;
  // Who waits for a position behind all that was seen of an inbox may wait for ever: of an older backup's log, or for
  // an offset that somebody made up. After this time the log is asked where the inbox ends. Not at once: it would cost
  // a question to the brokers for each read of what was just written. The answer is sound also where other processes
  // append: an offset is told only once it is durable, and the log counts what is durable.
  std::chrono::milliseconds doubt_after{1000};
  // Folding pauses while more than this waits to be acknowledged by a shard's targets.
  std::size_t outbox_bytes_max = 64U << 20;
};

}  // namespace granary::runtime
