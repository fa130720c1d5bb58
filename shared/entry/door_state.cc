#include "shared/entry/door_state.h"

namespace granary::entry {

std::optional<DoorState::Use> DoorState::begin_use() {
  const std::lock_guard lock(mutex_);
  if (closed_) return std::nullopt;
  ++uses_;
  return Use(shared_from_this());
}

void DoorState::end_use() {
  const std::lock_guard lock(mutex_);
  if (--uses_ == 0) idle_.notify_all();
}

void DoorState::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  idle_.wait(lock, [this] { return uses_ == 0; });
}

void DoorState::fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = error;
}

std::optional<Error> DoorState::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

EventDoorCounters DoorState::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace granary::entry
