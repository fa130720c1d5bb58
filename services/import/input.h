// A byte stream over a workload file that is plain, gzip, or a zip of one member. Memory is bounded whatever the size.
// One thread; the object owns the open file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace granary::import {

// Where an Input's bytes come from: the file, unpacked. See file_source.cc.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // The number of bytes put into `buffer`; 0 at the end. Errors: corrupt, io_error.
  virtual Result<std::size_t> read(char* buffer, std::size_t capacity) = 0;
  // After the end: whether the archive says that there should have been more.
  [[nodiscard]] virtual bool truncated() const = 0;
  // How much of the stored file has been read, for a progress bar.
  [[nodiscard]] virtual std::uint64_t stored_bytes_read() const = 0;
};

class Input {
 public:
  // Opens a regular file (it is read more than once). Errors: not_found; io_error; invalid_input for an empty file, an
  // archive of another kind, a zip of none or several members.
  static Result<Input> open(const std::string& path);
  explicit Input(std::unique_ptr<ByteSource> source, std::uint64_t stored_size = 0);

  // The next byte, taken or not; -1 at the end and after an error.
  int peek() { return (at_ < filled_ || fill()) ? static_cast<unsigned char>(buffer_[at_]) : -1; }
  int get() {
    const int byte = peek();
    if (byte < 0) return byte;
    ++at_;
    if (byte == '\n') ++line_;
    return byte;
  }

  // The next `size` bytes (at most 64), not taken; fewer at the end. They live until the next call.
  std::string_view ahead(std::size_t size);
  // Takes bytes that ahead() showed.
  void pass(std::size_t size) { at_ += size; }

  // The number of the line that the next byte belongs to, from 1.
  [[nodiscard]] std::uint64_t line() const { return line_; }
  // The error that ended the stream, if one did. Readers ask after they met the end.
  [[nodiscard]] Result<void> status() const;
  // After the end: whether the archive is cut short. A plain file never says so; its reader sees it.
  [[nodiscard]] bool truncated() const { return source_->truncated(); }

  [[nodiscard]] std::uint64_t stored_bytes_read() const { return source_->stored_bytes_read(); }
  [[nodiscard]] std::uint64_t stored_size() const { return stored_size_; }

 private:
  bool fill();

  std::unique_ptr<ByteSource> source_;
  std::uint64_t stored_size_;
  std::unique_ptr<char[]> buffer_;
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t line_ = 1;
  bool at_end_ = false;
  std::optional<Error> error_;
};

// A line of text.
struct Line {
  std::string text;          // without its end (LF or CR LF)
  std::uint64_t number = 0;  // from 1
  bool terminated = false;   // whether a line end followed; the last one of a cut file has none
};

// Takes the next line; false at the end. Errors: the input's; invalid_input for a line over 1 MiB.
Result<bool> read_line(Input& input, Line& line);

// SHA-256 (lower-case hexadecimal) over what the file holds: unpacked, without a byte order mark, its lines ended by
// LF. So a workload is the same one packed, unpacked, and after it went through Windows. Errors: those of open() and of
// reading.
Result<std::string> sha256_of_content(const std::string& path);

}  // namespace granary::import
