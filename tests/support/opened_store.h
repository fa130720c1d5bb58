// A process's hold on a store in memory, which stands for the disk and outlives it: what a store opener hands out.
// Threads: as the port.
#pragma once

#include <memory>
#include <utility>

#include "shared/store/memory_store.h"

namespace granary::testing_support {

class OpenedStore final : public store::Store {
 public:
  explicit OpenedStore(std::shared_ptr<store::MemoryStore> disk) : disk_(std::move(disk)) {}
  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override { return disk_->get(key); }
  void scan(BytesView from, BytesView to, const std::function<bool(BytesView, BytesView)>& visit) const override {
    disk_->scan(from, to, visit);
  }
  Result<void> commit(const store::WriteSet& changes) override { return disk_->commit(changes); }
  [[nodiscard]] std::unique_ptr<store::View> snapshot() const override { return disk_->snapshot(); }

 private:
  std::shared_ptr<store::MemoryStore> disk_;
};

}  // namespace granary::testing_support
