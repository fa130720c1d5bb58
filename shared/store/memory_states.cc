#include "shared/store/memory_states.h"

#include "shared/base/check.h"

namespace granary::store {
namespace {

const Error kDamaged{ErrorCode::corrupt, "expected rows, got the damage that a test ordered; hint: none"};

class OpenedStore final : public Store {
 public:
  explicit OpenedStore(std::shared_ptr<MemoryStore> disk) : disk_(std::move(disk)) {}
  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override { return disk_->get(key); }
  void scan(BytesView from, BytesView to, const std::function<bool(BytesView, BytesView)>& visit) const override {
    disk_->scan(from, to, visit);
  }
  Result<void> commit(const WriteSet& changes) override { return disk_->commit(changes); }
  Result<void> persist() override { return disk_->persist(); }
  [[nodiscard]] std::unique_ptr<View> snapshot() const override { return disk_->snapshot(); }

 private:
  std::shared_ptr<MemoryStore> disk_;
};

}  // namespace

std::shared_ptr<MemoryStore>& MemoryStates::disk(Disks& disks, std::string_view name) {
  auto& found = disks[std::string(name)];
  if (!found) found = std::make_shared<MemoryStore>();
  return found;
}

Result<std::unique_ptr<Store>> MemoryStates::open(std::string_view name) {
  if (on_open) GRANARY_TRY(on_open(name));
  if (damaged.contains(name)) return kDamaged;
  const std::lock_guard lock(mutex_);
  return std::unique_ptr<Store>(std::make_unique<OpenedStore>(disk(states_, name)));
}

Result<std::unique_ptr<Store>> MemoryStates::open_old(std::string_view name) {
  if (on_open_old) GRANARY_TRY(on_open_old(name));
  if (damaged_old.contains(name)) return kDamaged;
  const std::lock_guard lock(mutex_);
  const auto found = old_.find(name);
  if (found == old_.end()) return std::unique_ptr<Store>();
  return std::unique_ptr<Store>(std::make_unique<OpenedStore>(found->second));
}

Result<void> MemoryStates::set_aside(std::string_view name) {
  const std::lock_guard lock(mutex_);
  GRANARY_CHECK(!old_.contains(name), "a state is set aside although there is an old one");
  auto node = states_.extract(states_.find(name));
  GRANARY_CHECK(!node.empty(), "a state that does not exist is set aside");
  old_.insert(std::move(node));
  return {};
}

Result<void> MemoryStates::take_back(std::string_view name) {
  const std::lock_guard lock(mutex_);
  auto node = old_.extract(old_.find(name));
  GRANARY_CHECK(!node.empty(), "an old state that does not exist is taken back");
  states_[std::string(name)] = std::move(node.mapped());
  return {};
}

Result<void> MemoryStates::drop(std::string_view name) {
  const std::lock_guard lock(mutex_);
  states_.erase(std::string(name));
  damaged.erase(std::string(name));
  ++dropped_[std::string(name)];
  return {};
}

Result<void> MemoryStates::drop_old(std::string_view name) {
  const std::lock_guard lock(mutex_);
  old_.erase(std::string(name));
  damaged_old.erase(std::string(name));
  ++dropped_old_[std::string(name)];
  return {};
}

MemoryStore& MemoryStates::state(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return *disk(states_, name);
}

MemoryStore& MemoryStates::old(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return *disk(old_, name);
}

bool MemoryStates::has_old(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return old_.contains(name);
}

std::vector<std::pair<std::string, MemoryStore*>> MemoryStates::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, MemoryStore*>> all;
  all.reserve(states_.size());
  for (const auto& [name, disk] : states_) all.emplace_back(name, disk.get());
  return all;
}

void MemoryStates::forget(std::string_view name) {
  const std::lock_guard lock(mutex_);
  states_.erase(std::string(name));
  old_.erase(std::string(name));
}

void MemoryStates::forget_all() {
  const std::lock_guard lock(mutex_);
  states_.clear();
  old_.clear();
}

std::map<std::string, int> MemoryStates::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

std::map<std::string, int> MemoryStates::dropped_old() const {
  const std::lock_guard lock(mutex_);
  return dropped_old_;
}

void MemoryStates::forget_counts() {
  const std::lock_guard lock(mutex_);
  dropped_.clear();
  dropped_old_.clear();
}

}  // namespace granary::store
