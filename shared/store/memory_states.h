// States in memory, for tests and simulation: the object stands for the disk, an opened store for a process that has
// it open.
//
// Threads: as the port. Ownership: an opened store keeps its rows alive.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shared/store/memory_store.h"
#include "shared/store/states.h"

namespace granary::store {

class MemoryStates final : public States {
 public:
  Result<std::unique_ptr<Store>> open(std::string_view name) override;
  Result<std::unique_ptr<Store>> open_old(std::string_view name) override;
  Result<void> set_aside(std::string_view name) override;
  Result<void> take_back(std::string_view name) override;
  Result<void> drop(std::string_view name) override;
  Result<void> drop_old(std::string_view name) override;

  // The rows of a state, or of an old one; empty if there is none yet.
  MemoryStore& state(std::string_view name);
  MemoryStore& old(std::string_view name);
  [[nodiscard]] bool has_old(std::string_view name) const;
  // All states that there are, without the old ones.
  [[nodiscard]] std::vector<std::pair<std::string, MemoryStore*>> all() const;
  // As if it had never been opened.
  void forget(std::string_view name);
  void forget_all();
  // How often it was asked to delete a state, or an old one.
  [[nodiscard]] std::map<std::string, int> dropped() const;
  [[nodiscard]] std::map<std::string, int> dropped_old() const;
  void forget_counts();

  // Those that open as corrupt until they are deleted.
  std::set<std::string, std::less<>> damaged, damaged_old;
  // Called first at each open() and open_old(); if it returns an error, that is the answer. For other faults, and for a
  // process that dies there.
  std::function<Result<void>(std::string_view name)> on_open, on_open_old;

 private:
  using Disks = std::map<std::string, std::shared_ptr<MemoryStore>, std::less<>>;
  static std::shared_ptr<MemoryStore>& disk(Disks& disks, std::string_view name);

  mutable std::mutex mutex_;
  Disks states_, old_;
  std::map<std::string, int> dropped_, dropped_old_;
};

}  // namespace granary::store
