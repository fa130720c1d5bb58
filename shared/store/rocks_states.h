// States in directories of one database each: NAME, and NAME.old beside it while the state is folded again. NAME.gone
// is a state that is being deleted; the next open() deletes what a crash has left of it.
//
// Threads: as the port. Ownership: the environment outlives the states, these outlive no store.
#pragma once

#include <string>

#include "shared/store/rocks_store.h"
#include "shared/store/states.h"

namespace granary::store {

class RocksStates final : public States {
 public:
  // The directories are in `directory`.
  RocksStates(const RocksEnvironment& environment, std::string directory)
      : environment_(environment), directory_(std::move(directory)) {}

  Result<std::unique_ptr<Store>> open(std::string_view name) override;
  Result<std::unique_ptr<Store>> open_old(std::string_view name) override;
  Result<void> set_aside(std::string_view name) override;
  Result<void> take_back(std::string_view name) override;
  Result<void> drop(std::string_view name) override;
  Result<void> drop_old(std::string_view name) override;

  // The paths of a state's directories.
  static std::string state_path(const std::string& directory, std::string_view name);
  static std::string old_path(const std::string& directory, std::string_view name);

 private:
  [[nodiscard]] std::string path(std::string_view name) const { return state_path(directory_, name); }
  [[nodiscard]] std::string old(std::string_view name) const { return old_path(directory_, name); }
  [[nodiscard]] std::string gone(std::string_view name) const;
  Result<void> remove(const std::string& directory, std::string_view name);

  const RocksEnvironment& environment_;
  std::string directory_;
};

}  // namespace granary::store
