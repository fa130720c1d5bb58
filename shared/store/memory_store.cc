#include "shared/store/memory_store.h"

namespace granary::store {
namespace {

template <class Rows>
std::optional<Bytes> get_from(const Rows& rows, BytesView key) {
  const auto found = rows.find(key);
  if (found == rows.end()) return std::nullopt;
  return found->second;
}

template <class Rows>
void scan_over(const Rows& rows, BytesView from, BytesView to,
               const std::function<bool(BytesView key, BytesView value)>& visit) {
  for (auto at = rows.lower_bound(from); at != rows.end(); ++at) {
    if (!to.empty() && BytesView(at->first) >= to) return;
    if (!visit(at->first, at->second)) return;
  }
}

}  // namespace

class MemoryStore::Frozen final : public View {
 public:
  explicit Frozen(Rows rows) : rows_(std::move(rows)) {}
  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override { return get_from(rows_, key); }
  void scan(BytesView from, BytesView to,
            const std::function<bool(BytesView key, BytesView value)>& visit) const override {
    scan_over(rows_, from, to, visit);
  }

 private:
  const Rows rows_;
};

std::optional<Bytes> MemoryStore::get(BytesView key) const {
  return get_from(rows_, key);
}

void MemoryStore::scan(BytesView from, BytesView to,
                       const std::function<bool(BytesView key, BytesView value)>& visit) const {
  scan_over(rows_, from, to, visit);
}

Result<void> MemoryStore::commit(const WriteSet& changes) {
  if (next_failure_) failed_ = std::exchange(next_failure_, std::nullopt);
  if (failed_) return *failed_;
  Undo undo;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, value] : changes.changes()) {
    undo.try_emplace(key, get(key));
    if (value) {
      rows_.insert_or_assign(key, *value);
    } else {
      rows_.erase(key);
    }
  }
  undo_.push_back(std::move(undo));
  if (undo_.size() > kUndoableCommits) undo_.pop_front();
  return {};
}

Result<void> MemoryStore::persist() {
  if (failed_) return *failed_;
  undo_.clear();
  return {};
}

std::unique_ptr<View> MemoryStore::snapshot() const {
  const std::lock_guard lock(mutex_);
  return std::make_unique<Frozen>(rows_);
}

void MemoryStore::fail_next_commit(Error error) {
  next_failure_ = std::move(error);
}

void MemoryStore::power_cut(std::size_t commits) {
  for (; commits > 0 && !undo_.empty(); --commits) {
    for (auto& [key, before] : undo_.back()) {
      if (before) {
        rows_.insert_or_assign(key, std::move(*before));
      } else {
        rows_.erase(key);
      }
    }
    undo_.pop_back();
  }
  undo_.clear();  // what survived a power cut is on the disk
  next_failure_.reset();
  failed_.reset();
}

}  // namespace granary::store
