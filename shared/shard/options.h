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
  // Commit after commit_events_max events or commit_bytes_max bytes of records. Commit earlier if the inbox is drained
  // and commit_pause has passed since the last commit: a single event is committed at once, a stream shares commits.
  std::chrono::milliseconds commit_pause{2};
  // The longest time that folded events stay uncommitted while the inbox never runs empty.
  std::chrono::milliseconds commit_age_max{500};
  std::size_t commit_events_max = 10'000;    // in larger ones, whoever waits for a commit waits longer
  std::size_t commit_bytes_max = 32U << 20;  // bounds the memory of what is not committed
  // Commit as well once the events sent since the last commit come to commit_bytes_max, and in the middle of a packet
  // whose events have sent step_bytes.
  std::uint64_t step_bytes = 8U << 20;
  // Write a checkpoint of the inbox with the first commit after checkpoint_records records or checkpoint_bytes bytes
  // were folded since the last one. A writer that starts reads this much of a target, and not all of it.
  std::size_t checkpoint_records = 10'000;
  std::size_t checkpoint_bytes = 16U << 20;
  // A wait for a position after all records that were seen of an inbox may never end: the log may be an older backup,
  // or somebody made the offset up. After this time the shard asks the log for the inbox's end. It does not ask at
  // once: each read of what was just written would cost a question to the brokers. The answer is right even if other
  // processes append: an offset is told only after the record is durable, and the log counts durable records.
  std::chrono::milliseconds doubt_after{1000};
  // Folding pauses while the targets of a shard have not acknowledged more than this. It bounds the memory of a shard
  // whose target is away.
  std::size_t outbox_bytes_max = 64U << 20;
};

}  // namespace granary::runtime
