// What lies under an Input: the file, and what unpacks it. Internal to this room. One thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "services/import/input.h"
#include "shared/base/result.h"

namespace granary::import {

// An open file, closed with this object. `errno` says why it is not open, or why a read answered -1.
class FileHandle {
 public:
  explicit FileHandle(const std::string& path);
  ~FileHandle();
  FileHandle(FileHandle&& other) noexcept;
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  FileHandle& operator=(FileHandle&&) = delete;

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }
  // As read(2), begun again after a signal.
  ssize_t read(char* buffer, std::size_t capacity) const;
  ssize_t read_at(char* buffer, std::size_t capacity, std::uint64_t offset) const;

 private:
  int fd_;
};

Error file_error(const std::string& path, int error_number);

struct OpenedFile {
  std::unique_ptr<ByteSource> source;
  std::uint64_t stored_size = 0;
};

// The size of a regular file. Errors: file_error; invalid_input for a folder, a pipe, a device.
Result<std::uint64_t> regular_file_size(const FileHandle& file, const std::string& path);

// See Input::open.
Result<OpenedFile> open_file_source(const std::string& path);

}  // namespace granary::import
