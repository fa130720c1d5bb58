// One measured run: the machines fold what stands in the usage topic until the last billing record is durable. What
// `pipeline`, `read` and `scale` share.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/bench_ledger.h"
#include "tests/bench/measuring.h"

namespace granary::bench {

struct Folded {
  std::uint64_t events = 0;   // usage records, repeats among them
  double open_seconds = 0;    // until the machines ran: stores opened, targets looked through
  double seconds = 0;         // from then on
  double cpu_seconds = 0;     // of this process
  double broker_seconds = 0;  // of the broker's, where it is known
  double rss_peak_mib = 0;    // while it went on
  std::map<std::string, double> cpu_by_thread;
  std::vector<runtime::ShardStatus> shards;

  [[nodiscard]] double events_per_s() const { return static_cast<double>(events) / seconds; }
  [[nodiscard]] double cpu_s_per_million() const {
    return (cpu_seconds + broker_seconds) * 1e6 / static_cast<double>(events);
  }
};

// What else is done: once the machines run, and when all is folded, before they stop. Either may be empty.
struct FoldSteps {
  std::function<void()> started, settled;
};

// Starts the machines, waits, stops them. The usage must have been appended.
Folded fold_usage(BenchLedger& ledger, const Arguments& arguments, std::uint64_t events, const FoldSteps& steps = {});

// Per machine: what it folded and what that took; then the other threads.
void print_machines(const Folded& folded);

// events, events_per_s, cpu_s_per_million, rss_peak_mib: what every last line has, before result_hash.
void add_folded(ResultLine& line, const Folded& folded);

}  // namespace granary::bench
