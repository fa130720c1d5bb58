#include "shared/base/text_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "shared/base/encoding.h"

namespace granary {
namespace {

constexpr std::size_t kChunkBytes = 64U << 10;

Error cannot_read(const std::string& name, const std::string& what, int error_number) {
  const bool missing = error_number == ENOENT || error_number == ENOTDIR;
  return {missing ? ErrorCode::not_found : ErrorCode::io_error, "expected " + what + " in " + name +
                                                                    ", got: " + system_words(error_number) +
                                                                    "; hint: check the path and its rights"};
}

class OpenFile {
 public:
  explicit OpenFile(int file) : file_(file) {}
  ~OpenFile() {
    if (file_ >= 0) ::close(file_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int get() const { return file_; }

 private:
  int file_;
};

}  // namespace

std::string system_words(int error_number) {
  return std::generic_category().message(error_number);
}

Result<std::string> read_text(int file, const std::string& name, const std::string& what, std::size_t bytes_max) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return cannot_read(name, what, errno);
  if (S_ISDIR(status.st_mode))
    return Error{ErrorCode::io_error,
                 "expected " + what + " in " + name + ", got a directory; hint: name a file in it"};
  std::string bytes;
  while (true) {
    const std::size_t begin = bytes.size();
    bytes.resize(begin + kChunkBytes);
    const ssize_t got = ::read(file, bytes.data() + begin, kChunkBytes);
    bytes.resize(begin + static_cast<std::size_t>(got < 0 ? 0 : got));
    if (got == 0) break;
    if (got < 0 && errno == EAGAIN) {  // a pipe whose writer has not written yet
      pollfd waits{file, POLLIN, 0};
      ::poll(&waits, 1, -1);
    } else if (got < 0 && errno != EINTR) {
      return cannot_read(name, what, errno);
    }
    if (bytes.size() > bytes_max)
      return Error{ErrorCode::invalid_input, "expected at most " + std::to_string(bytes_max) + " bytes of " + what +
                                                 " in " + name + ", got more; hint: split it"};
  }
  const auto text = without_byte_order_mark(bytes, name);
  if (!text.ok()) return text.error();
  bytes.erase(0, bytes.size() - text->size());
  return bytes;
}

Result<std::string> read_text_file(const std::string& path, const std::string& what, std::size_t bytes_max) {
  // Without waiting: a named pipe that nobody writes to would hold the process for ever.
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return cannot_read(path.empty() ? "a file without a name" : path, what, errno);
  auto text = read_text(file.get(), path, what, bytes_max);
  struct stat status {};
  if (text.ok() && text->empty() && ::fstat(file.get(), &status) == 0 && S_ISFIFO(status.st_mode))
    return Error{ErrorCode::io_error,
                 "expected " + what + " in " + path + ", got a pipe that nobody writes to; hint: write to it first"};
  return text;
}

}  // namespace granary
