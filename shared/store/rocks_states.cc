#include "shared/store/rocks_states.h"

#include <fmt/format.h>

#include <filesystem>

#include "shared/base/crash_point.h"

namespace granary::store {
namespace {

namespace fs = std::filesystem;

Error trouble_with(const std::string& what, const std::error_code& trouble) {
  return {ErrorCode::io_error,
          fmt::format("expected to {}, got: {}; hint: check the rights of the directory and of what is in it", what,
                      trouble.message())};
}

Result<void> rename(const std::string& from, const std::string& to) {
  std::error_code trouble;
  fs::rename(from, to, trouble);
  if (trouble) return trouble_with(fmt::format("rename the state {} to {}", from, to), trouble);
  return {};
}

Result<void> delete_all(const std::string& directory) {
  std::error_code trouble;
  fs::remove_all(directory, trouble);
  if (trouble) return trouble_with("delete the state in " + directory, trouble);
  return {};
}

}  // namespace

std::string RocksStates::state_path(const std::string& directory, std::string_view name) {
  return fmt::format("{}/{}", directory, name);
}

std::string RocksStates::old_path(const std::string& directory, std::string_view name) {
  return state_path(directory, name) + ".old";
}

std::string RocksStates::gone(std::string_view name) const {
  return path(name) + ".gone";
}

Result<std::unique_ptr<Store>> RocksStates::open(std::string_view name) {
  GRANARY_TRY(delete_all(gone(name)));
  return open_rocks_store(environment_, path(name));
}

Result<std::unique_ptr<Store>> RocksStates::open_old(std::string_view name) {
  std::error_code trouble;
  const bool exists = fs::exists(old(name), trouble);
  if (trouble) return trouble_with("look for the old state " + old(name), trouble);
  if (!exists) return std::unique_ptr<Store>();
  return open_rocks_store(environment_, old(name));
}

Result<void> RocksStates::set_aside(std::string_view name) {
  crash_point("states.before_set_aside");
  GRANARY_TRY(rename(path(name), old(name)));
  crash_point("states.after_set_aside");
  return {};
}

Result<void> RocksStates::take_back(std::string_view name) {
  GRANARY_TRY(delete_all(gone(name)));
  std::error_code trouble;
  if (fs::exists(path(name), trouble)) GRANARY_TRY(rename(path(name), gone(name)));
  crash_point("states.between_take_back");
  GRANARY_TRY(rename(old(name), path(name)));
  crash_point("states.after_take_back");
  return delete_all(gone(name));
}

Result<void> RocksStates::drop(std::string_view name) {
  return remove(path(name), name);
}

Result<void> RocksStates::drop_old(std::string_view name) {
  return remove(old(name), name);
}

// The directory is renamed first: after a crash in the middle, a directory with some of its files could open as a
// state.
Result<void> RocksStates::remove(const std::string& directory, std::string_view name) {
  GRANARY_TRY(delete_all(gone(name)));
  std::error_code trouble;
  if (!fs::exists(directory, trouble)) {
    if (trouble) return trouble_with("look for the state " + directory, trouble);
    return {};
  }
  GRANARY_TRY(rename(directory, gone(name)));
  crash_point("states.before_delete");
  return delete_all(gone(name));
}

}  // namespace granary::store
