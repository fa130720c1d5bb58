// A file that has its name only once it is whole: written beside it, under another name, then renamed. What was there
// before stays until then, and stays if anything fails. A link is followed: what it points to is replaced.
//
// Threads: one; one such file at a time, as SIGINT, SIGTERM and SIGHUP, which end the process, delete what is
// unfinished.
#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace granary::cli {

class OutputFile {
 public:
  // Errors: invalid_input (a directory, or another thing that is no regular file), io_error (no rights, no folder, a
  // name that is too long, a loop of links).
  static Result<OutputFile> create(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();  // without finish(): nothing is left

  // Errors: io_error.
  Result<void> write(std::string_view text);
  // Once: all of it is on the disk, under its name.
  Result<void> finish();

 private:
  OutputFile(std::string path, std::string part, int file);
  [[nodiscard]] Error failed(const std::string& what, int error_number) const;
  Result<void> write_buffer();

  std::string path_, part_;
  int file_;
  std::string buffer_;
};

}  // namespace granary::cli
