#include "tests/bench/measuring.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace granary::bench {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

double seconds_of(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// The clock of a thread of this process, as pthread_getcpuclockid makes it of a pthread_t (clock_getcpuclockid(3)).
clockid_t thread_clock(int thread) {
  constexpr unsigned kPerThreadScheduler = 6;
  return static_cast<clockid_t>(~static_cast<unsigned>(thread) << 3 | kPerThreadScheduler);
}

// A line of /proc/self/status, in MiB.
double status_mib(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return std::stod(line.substr(name.size())) / 1024;
  return 0;
}

}  // namespace

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

CpuTimes cpu_now() {
  CpuTimes times;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    const int thread = std::stoi(entry.path().filename());
    // Threads without a name of their own have that of the program, as the first one has.
    times.threads[thread] = {thread == getpid() ? "main" : first_line(entry.path() / "comm"),
                             seconds_of(thread_clock(thread))};
  }
  times.process = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  return times;
}

std::map<std::string, double> cpu_between(const CpuTimes& before, const CpuTimes& after) {
  std::map<std::string, double> used;
  double ended = after.process - before.process;
  for (const auto& [thread, named] : after.threads) {
    const auto earlier = before.threads.find(thread);
    const double seconds = named.second - (earlier == before.threads.end() ? 0 : earlier->second.second);
    used[named.first] += seconds;
    ended -= seconds;
  }
  used["(ended)"] = std::max(ended, 0.0);
  return used;
}

double cpu_seconds_of(int pid) {
  const std::string line = first_line("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = line.rfind(')');
  if (pid <= 0 || name_end == std::string::npos) return 0;
  unsigned long long user = 0;
  unsigned long long system = 0;
  // state, then ten numbers, then utime and stime: proc(5)
  if (std::sscanf(line.c_str() + name_end + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu", &user,
                  &system) != 2)
    return 0;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

int find_broker() {
  int found = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string command = first_line(entry.path() / "cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    if (command.find(" kafka.Kafka ") == std::string::npos) continue;
    if (found != 0) return 0;
    found = std::stoi(name);
  }
  return found;
}

void reset_rss_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

double rss_peak_mib() {
  const double peak = status_mib("VmHWM:");
  if (peak > 0) return peak;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double rss_now_mib() {
  return status_mib("VmRSS:");
}

void trim_heap() {
  malloc_trim(0);
}

std::uint64_t disk_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code gone;  // a compaction may remove a file meanwhile
  for (auto entry = std::filesystem::recursive_directory_iterator(directory, gone);
       entry != std::filesystem::recursive_directory_iterator(); entry.increment(gone)) {
    const auto size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), shown_(isatty(STDERR_FILENO) == 1 && total > 0) {}

Progress::~Progress() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
}

void Progress::show(std::uint64_t done) {
  constexpr double kPauseS = 0.1;
  if (!shown_ || seconds_now() - last_ < kPauseS) return;
  last_ = seconds_now();
  const auto filled = static_cast<std::size_t>(40 * std::min(done, total_) / total_);
  std::fprintf(stderr, "\r%-24s [%s%s] %llu of %llu", what_.c_str(), std::string(filled, '#').c_str(),
               std::string(40 - filled, ' ').c_str(), static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(total_));
}

void ResultLine::add(std::string_view name, std::string_view json) {
  if (!members_.empty()) members_ += ',';
  members_.append("\"").append(name).append("\":").append(json);
}

void ResultLine::text(std::string_view name, std::string_view value) {
  add(name, "\"" + std::string(value) + "\"");
}

void ResultLine::number(std::string_view name, std::uint64_t value) {
  add(name, std::to_string(value));
}

void ResultLine::number(std::string_view name, double value, int decimals) {
  add(name, fixed(value, decimals));
}

void ResultLine::print() const {
  std::printf("{%s}\n", members_.c_str());
}

}  // namespace granary::bench
