#include "shared/rocks/rights.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "shared/base/text_file.h"

namespace granary::rocks {
namespace {

std::optional<std::string> denied(const std::string& path, int mode) {
  if (::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0) return std::nullopt;
  const int why = errno;
  if (why != EACCES && why != EPERM && why != EROFS) return std::nullopt;
  return fmt::format("{}: {}", path, system_words(why));
}

}  // namespace

std::optional<std::string> denied_path(const std::string& directory) {
  if (auto found = denied(directory, R_OK | W_OK | X_OK)) return found;
  std::error_code trouble;
  for (const auto& entry : std::filesystem::directory_iterator(directory, trouble)) {
    const bool is_written = entry.path().filename() == "LOCK";
    if (auto found = denied(entry.path().string(), is_written ? R_OK | W_OK : R_OK)) return found;
  }
  return std::nullopt;
}

bool is_lock_held(int error_number) {
  return error_number == EAGAIN || error_number == EACCES || error_number == ENOLCK;
}

}  // namespace granary::rocks
