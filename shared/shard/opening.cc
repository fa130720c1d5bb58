#include "shared/shard/opening.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "shared/base/check.h"
#include "shared/base/version.h"

namespace granary::runtime {
namespace {

constexpr std::array<const char*, 3> kStepNames{"old_state", "state", "anew"};
constexpr std::array<int, 5> kFaults{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

// Where a fault is written down; -1: nothing is being opened.
std::atomic<int> file_for_faults = -1;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler reads it");
std::array<struct sigaction, kFaults.size()> handlers_before;
thread_local bool is_opening = false;

void write_all(int file, const char* text, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(file, text, size);
    if (written <= 0) return;
    text += written;
    size -= static_cast<std::size_t>(written);
  }
}

void write_all(int file, const std::string& text) {
  write_all(file, text.data(), text.size());
}

// Only what a signal handler may do. The fault comes again once the handler of before is back.
void note_fault(int signal) {
  const int file = file_for_faults.exchange(-1);
  if (file >= 0 && !is_stopping()) {
    char text[] = "signal 00\n";
    text[7] = static_cast<char>('0' + signal / 10);
    text[8] = static_cast<char>('0' + signal % 10);
    write_all(file, text, sizeof text - 1);
  }
  for (std::size_t i = 0; i < kFaults.size(); ++i)
    if (kFaults[i] == signal) ::sigaction(signal, &handlers_before[i], nullptr);
  if (signal != SIGABRT) ::raise(signal);  // abort() raises it again itself
}

void catch_faults(int file) {
  struct sigaction action {};
  action.sa_handler = note_fault;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kFaults.size(); ++i) ::sigaction(kFaults[i], &action, &handlers_before[i]);
  file_for_faults = file;
}

void let_faults_be() {
  if (file_for_faults.exchange(-1) < 0) return;
  for (std::size_t i = 0; i < kFaults.size(); ++i) ::sigaction(kFaults[i], &handlers_before[i], nullptr);
}

}  // namespace

// VERSION STEP, and in the next line the cause.
Opening::Opening(std::string path) : path_(std::move(path)) {
  is_opening = true;
  std::ifstream left(path_);
  std::string version, step, cause;
  if (!(left >> version >> step) || version != kVersion) return;
  std::getline(left >> std::ws, cause);
  for (std::size_t i = 0; i < kStepNames.size(); ++i) {
    if (kStepNames[i] != step) continue;
    const auto was = static_cast<Step>(i + 1);
    was_anew_ = was == Step::anew;
    if (!cause.empty()) died_ = Death{was, cause};
  }
}

Opening::~Opening() {
  is_opening = false;
  if (file_ < 0) return;
  close_file();
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void Opening::enter(Step step) {
  close_file();
  file_ = ::open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (file_ < 0) return;  // as if it died of nothing that it knew
  write_all(file_, fmt::format("{} {}\n", kVersion, kStepNames[static_cast<std::size_t>(step) - 1]));
  catch_faults(file_);
}

void Opening::leave_as_it_was() {
  close_file();
}

void Opening::close_file() {
  if (file_ < 0) return;
  let_faults_be();
  ::close(file_);
  file_ = -1;
}

void Opening::note_broken_law(const std::string& message) {
  if (!is_opening) return;
  const int file = file_for_faults.exchange(-1);
  if (file >= 0) write_all(file, message.substr(0, message.find('\n')) + '\n');
}

}  // namespace granary::runtime
