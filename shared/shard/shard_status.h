// What a shard tells of itself. Values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/machine/machine.h"
#include "shared/telemetry/histogram.h"

namespace granary::runtime {

// A shard folds again from the log, because its rows were of another form. Until it has reached the position of the old
// state, that one answers questions, or nothing does.
struct FoldingAgain {
  std::uint64_t until = 0;   // records that the old state has folded
  bool old_answers = false;  // false: this build cannot read it
  bool operator==(const FoldingAgain&) const = default;
};

// The position, the figures and the condition of one shard.
struct ShardStatus {
  machine::MachineKind machine{};
  std::uint16_t shard = 0;
  std::uint64_t position = 0;   // the next record to fold
  std::uint64_t committed = 0;  // the same as of the last commit; what was emitted before it is in the outbox or sent
  std::uint64_t end = 0;        // the inbox's end when last seen
  units::Instant now, complete;
  std::uint64_t events = 0;  // folded since the start of the process
  std::uint64_t commits = 0;
  std::uint64_t repeats_dropped = 0;
  std::uint64_t lane_alarms = 0;
  std::uint64_t repeats = 0;  // raw events that came again
  std::uint64_t refusals = 0;
  std::map<std::string_view, std::uint64_t> refusals_by_name;
  std::vector<machine::Figure> figures;  // the machine's own, as of the last commit
  std::uint64_t outbox_bytes = 0;
  std::uint64_t outbox_packets = 0;
  double apply_seconds = 0;  // spent in folding, without reading and committing
  telemetry::Histogram commit_seconds{telemetry::kSecondsBounds};
  telemetry::Histogram commit_events{telemetry::kEventsBounds};
  std::string parked;       // why, or empty
  std::uint64_t rules = 0;  // the rules version in force
  std::optional<FoldingAgain> folding_again;
};

}  // namespace granary::runtime
