#include "services/cli/output_file.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "shared/base/text_file.h"

namespace granary::cli {
namespace {

constexpr std::size_t kBufferBytes = 256U << 10;
constexpr std::array kEndingSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// For the handler, which may only look at memory that is there.
std::array<char, PATH_MAX> unfinished{};

void delete_unfinished(int signal) {
  ::unlink(unfinished.data());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

// A signal that the caller ignores stays ignored.
void on_ending_signals(const std::string& part) {
  if (part.size() >= unfinished.size()) return;
  std::memcpy(unfinished.data(), part.c_str(), part.size() + 1);
  for (const int signal : kEndingSignals)
    if (std::signal(signal, delete_unfinished) == SIG_IGN) std::signal(signal, SIG_IGN);
}

// As mkostemp; none of the signals comes between the file and who deletes it.
int make_part(std::string& part) {
  sigset_t ending, before;
  sigemptyset(&ending);
  for (const int signal : kEndingSignals) sigaddset(&ending, signal);
  pthread_sigmask(SIG_BLOCK, &ending, &before);
  const int file = ::mkostemp(part.data(), O_CLOEXEC);
  const int why = errno;
  if (file >= 0) on_ending_signals(part);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = why;
  return file;
}

void forget_unfinished() {
  for (const int signal : kEndingSignals)
    if (std::signal(signal, SIG_DFL) == SIG_IGN) std::signal(signal, SIG_IGN);
}

// Where a name leads to: through links, also those that lead to nothing yet.
Result<std::string> target_of(const std::string& path) {
  std::string at = path;
  constexpr int kLinksMax = 40;
  for (int links = 0; links < kLinksMax; ++links) {
    std::array<char, PATH_MAX> link{};
    const ssize_t length = ::readlink(at.c_str(), link.data(), link.size() - 1);
    if (length < 0) return at;  // no link; what else is wrong shows when it is used
    const std::string to(link.data(), static_cast<std::size_t>(length));
    at = to.starts_with('/') ? to : at.substr(0, at.rfind('/') + 1) + to;
  }
  return Error{ErrorCode::io_error,
               fmt::format("--out: expected to write {}, got: {}; hint: name another file", path, system_words(ELOOP))};
}

mode_t usual_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

OutputFile::OutputFile(std::string path, std::string part, int file)
    : path_(std::move(path)), part_(std::move(part)), file_(file) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      part_(std::move(other.part_)),
      file_(std::exchange(other.file_, -1)),
      buffer_(std::move(other.buffer_)) {}

OutputFile::~OutputFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(part_.c_str());
  forget_unfinished();
}

Error OutputFile::failed(const std::string& what, int error_number) const {
  return {ErrorCode::io_error,
          fmt::format("--out: expected to {} {}, got: {}; hint: nothing is left of it, and what was "
                      "there before still is: look at the path, its rights and the free space",
                      what, path_, system_words(error_number))};
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  const auto target = target_of(path);
  if (!target.ok()) return target.error();
  struct stat status {};
  const bool exists = ::stat(target->c_str(), &status) == 0;
  const int why = errno;
  OutputFile made(*target, target->substr(0, target->rfind('/') + 1) + ".granary-export-XXXXXX", -1);
  if (!exists && why != ENOENT) return made.failed("write", why);
  if (target->ends_with('/') || (exists && !S_ISREG(status.st_mode)))
    return Error{
        ErrorCode::invalid_input,
        fmt::format("--out: expected the name of a file, got {}, which is {}; hint: name a file, or leave --out "
                    "out and redirect the output",
                    path, exists && !S_ISDIR(status.st_mode) ? "no regular file" : "a directory")};
  if (exists && ::access(target->c_str(), W_OK) != 0) return made.failed("write", errno);
  made.file_ = make_part(made.part_);
  if (made.file_ < 0) return made.failed("write beside", errno);
  // Whose the old file is; who may not give it away leaves it theirs.
  if (exists && ::fchown(made.file_, status.st_uid, status.st_gid) != 0 && errno != EPERM)
    return made.failed("write", errno);
  if (::fchmod(made.file_, exists ? status.st_mode & 07777 : usual_mode()) != 0) return made.failed("write", errno);
  return made;
}

Result<void> OutputFile::write(std::string_view text) {
  buffer_ += text;
  return buffer_.size() < kBufferBytes ? Result<void>() : write_buffer();
}

Result<void> OutputFile::write_buffer() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const ssize_t wrote = ::write(file_, buffer_.data() + done, buffer_.size() - done);
    if (wrote < 0 && errno != EINTR) return failed("write", errno);
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  buffer_.clear();
  return {};
}

Result<void> OutputFile::finish() {
  GRANARY_TRY(write_buffer());
  if (::fsync(file_) != 0) return failed("write", errno);
  if (std::rename(part_.c_str(), path_.c_str()) != 0) return failed("rename what was written to", errno);
  forget_unfinished();
  ::close(std::exchange(file_, -1));
  // The name, too. Some file systems have no sync of a folder, and the file is whole whatever comes of it.
  const std::string folder = path_.substr(0, path_.rfind('/') + 1);
  const int opened = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return {};
  ::fsync(opened);
  ::close(opened);
  return {};
}

}  // namespace granary::cli
