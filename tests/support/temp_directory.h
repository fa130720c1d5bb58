// A new directory for one test; gone with the object. One thread.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "shared/base/check.h"

namespace granary::testing_support {

class TempDirectory {
 public:
  TempDirectory() {
    path_ = (std::filesystem::temp_directory_path() / "granary-XXXXXX").string();
    GRANARY_CHECK(::mkdtemp(path_.data()) != nullptr, "no temporary directory can be made: " + path_);
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace granary::testing_support
