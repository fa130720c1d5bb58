// Derived state in memory, for tests and simulation, with faults to order. It forgets everything with the object, so
// the object stands for the disk. A snapshot is a copy.
//
// Threads: as the port. Ownership: a snapshot owns its rows.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "shared/store/store.h"

namespace granary::store {

class MemoryStore final : public Store {
 public:
  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override;
  void scan(BytesView from, BytesView to,
            const std::function<bool(BytesView key, BytesView value)>& visit) const override;
  Result<void> commit(const WriteSet& changes) override;
  Result<void> persist() override;
  [[nodiscard]] std::unique_ptr<View> snapshot() const override;

  // The next commit fails with `error` and changes nothing; the store stays failed until power_cut().
  void fail_next_commit(Error error);
  // The machine lost its power and is back: the newest `commits` commits are gone, or as many of them as there were
  // since the last call or persist(), at most kUndoableCommits. The store is usable again.
  void power_cut(std::size_t commits);
  // More than any test lets a power cut take; what each commit replaced is kept for this number of commits.
  static constexpr std::size_t kUndoableCommits = 16;

 private:
  using Rows = std::map<Bytes, Bytes, std::less<>>;
  class Frozen;
  // What a commit's keys held before it.
  using Undo = std::map<Bytes, std::optional<Bytes>>;

  mutable std::mutex mutex_;  // of a commit and a snapshot
  Rows rows_;
  std::deque<Undo> undo_;
  std::optional<Error> next_failure_;
  std::optional<Error> failed_;
};

}  // namespace granary::store
