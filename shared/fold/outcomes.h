// The outcomes of a shard's last raw records, for doors that wait for them (`Prefer: wait`).
//
// Threads: the fold's owner. May touch: nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shared/machine/machine.h"

namespace granary::runtime {

class Outcomes {
 public:
  void note(std::uint64_t offset, machine::Outcome outcome);
  // nullopt: folded too long ago, or by another process.
  [[nodiscard]] std::optional<machine::Outcome> of(std::uint64_t offset) const;

 private:
  struct Noted {
    std::uint64_t offset = ~0ULL;
    machine::Outcome outcome;
  };
  std::vector<Noted> noted_;  // a ring; empty before the first note, because most folds note nothing
};

}  // namespace granary::runtime
