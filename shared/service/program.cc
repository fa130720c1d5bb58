#include "shared/service/program.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "shared/base/text_file.h"

namespace granary::service {
namespace {

// What goes to a closed file is an error, as it would be without this: standard input takes only writing, the others
// only reading.
void take_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(file, F_GETFD) < 0) static_cast<void>(::open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

Error cannot_write(int error_number) {
  return {ErrorCode::io_error,
          fmt::format("expected to write all of the output, got: {}; hint: what was written is cut: free some space, "
                      "or write to another place",
                      error_number == 0 ? "an error that was not seen when it came" : system_words(error_number))};
}

// The first thing that went wrong with standard output; 0: nothing that left a number.
int output_error = 0;
bool output_error_is_told = false;  // by who called write_output

Result<void> finish_output() {
  errno = 0;
  if (std::fflush(stdout) != 0 && output_error == 0) output_error = errno;
  if (std::ferror(stdout) != 0 || output_error != 0) return cannot_write(output_error);
  // Some file systems (NFS, quotas) say only at the close that there was no room.
  const int copy = ::dup(STDOUT_FILENO);
  if (copy >= 0 && ::close(copy) != 0) return cannot_write(errno);
  return {};
}

int without_exceptions(const std::function<int()>& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    complain("there is not enough memory for this; hint: ask for less at once");
  } catch (const std::exception& error) {
    complain(fmt::format("expected no exception, got: {}; hint: this is a bug, please report it", error.what()));
  } catch (...) {
    complain("expected no exception, got one without words; hint: this is a bug, please report it");
  }
  return kCannotRun;
}

}  // namespace

int run_program(const std::function<int()>& body) {
  take_standard_files();
  // What passes a limit of file size (ulimit -f) is an error like a full disk, not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  const int code = without_exceptions(body);
  const auto written = finish_output();
  if (written.ok()) return code;
  if (!output_error_is_told) complain(written.error().message);
  return kCannotRun;
}

void complain(std::string_view message) {
  std::string line = "granary: ";
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else {
      constexpr const char* kDigits = "0123456789abcdef";
      line.append("\\x").push_back(kDigits[byte >> 4U]);
      line += kDigits[byte & 0xFU];
    }
  }
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

Result<void> write_output(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return {};
  if (output_error == 0) output_error = errno;
  output_error_is_told = true;
  return cannot_write(output_error);
}

}  // namespace granary::service
