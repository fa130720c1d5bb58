// What the benchmarks measure with: processor time by thread, memory, disk, percentiles; and how they say it: a
// progress bar, and one JSON object as the last line. Values; one thread each.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/result.h"

namespace granary::bench {

// Ends a benchmark from wherever it is, past destructors that clean up; main prints it.
struct CannotMeasure : std::runtime_error {
  using std::runtime_error::runtime_error;
};
template <class T>
T must(Result<T> result) {
  if (!result.ok()) throw CannotMeasure(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Seconds since some start; never goes back.
double seconds_now();

// Processor seconds of this process: of each of its threads, by name, and of all that ever ran.
struct CpuTimes {
  std::map<int, std::pair<std::string, double>> threads;  // by thread id
  double process = 0;
};
CpuTimes cpu_now();
// What was used in between, by the threads' names; "(ended)" is what threads used that are there no more.
std::map<std::string, double> cpu_between(const CpuTimes& before, const CpuTimes& after);
// Of another process, user and system; 0: there is none.
double cpu_seconds_of(int pid);
// The one Kafka broker that runs on this machine; 0: none, or several.
int find_broker();

// Forgets the peak so far, where the system can; without that the peak is the process's whole.
void reset_rss_peak();
double rss_peak_mib();
double rss_now_mib();
// Gives what is free back to the system, so that the next figure is of what is held.
void trim_heap();

// All files below a directory.
std::uint64_t disk_bytes(const std::string& directory);

// Sorts; `share` of 0.5 is the median. 0: no values.
double percentile(std::vector<double>& values, double share);

std::string fixed(double value, int decimals);
inline std::string count_text(std::uint64_t value) {
  return std::to_string(value);
}

// A bar on standard error while that is a terminal.
class Progress {
 public:
  Progress(std::string what, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void show(std::uint64_t done);

 private:
  std::string what_;
  std::uint64_t total_;
  bool shown_;
  double last_ = 0;
};

// The last line.
class ResultLine {
 public:
  void text(std::string_view name, std::string_view value);  // that needs no escapes
  void number(std::string_view name, std::uint64_t value);
  void number(std::string_view name, double value, int decimals);
  void print() const;

 private:
  void add(std::string_view name, std::string_view json);
  std::string members_;
};

}  // namespace granary::bench
