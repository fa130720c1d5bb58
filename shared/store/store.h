// The port to derived state: one ordered map of bytes per shard, changed by atomic commits. Derived state is a fold of
// the log, so a commit need not survive a power cut (the lost tail is folded again), but it is all or nothing, and
// commits are lost only from the newest backwards.
//
// Threads: a store belongs to its shard's thread, but snapshot() may be called, and a snapshot read, on any thread
// while the store goes on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/result.h"

namespace granary::store {

// What a machine's core may read: the rows as of the last commit. If a read fails, the disk under the derived
// state is broken: the process stops and says so (the state comes back from the log), so that cores need no error
// paths.
class View {
 public:
  virtual ~View() = default;
  [[nodiscard]] virtual std::optional<Bytes> get(BytesView key) const = 0;
  // Calls `visit` for the rows of [from, to) in key order until it returns false; an empty `to` means to the end. The
  // views live only during the call.
  virtual void scan(BytesView from, BytesView to,
                    const std::function<bool(BytesView key, BytesView value)>& visit) const = 0;
};

// The changes of one commit, in order; a later one of the same key wins.
class WriteSet {
 public:
  void put(Bytes key, Bytes value) { changes_.emplace_back(std::move(key), std::move(value)); }
  void erase(Bytes key) { changes_.emplace_back(std::move(key), std::nullopt); }
  void clear() { changes_.clear(); }
  [[nodiscard]] bool empty() const { return changes_.empty(); }
  [[nodiscard]] const std::vector<std::pair<Bytes, std::optional<Bytes>>>& changes() const { return changes_; }

 private:
  std::vector<std::pair<Bytes, std::optional<Bytes>>> changes_;
};

class Store : public View {
 public:
  // All changes or none. `out_of_space` and `io_error` leave the store unusable: stop, and open it again.
  virtual Result<void> commit(const WriteSet& changes) = 0;
  // Makes durable what was committed before: no crash loses it. Waits for the disk; errors as of commit().
  virtual Result<void> persist() = 0;
  // The rows as of now; outlives later commits, not the store.
  [[nodiscard]] virtual std::unique_ptr<View> snapshot() const = 0;
};

}  // namespace granary::store
