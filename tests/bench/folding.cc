#include "tests/bench/folding.h"

#include <fstream>

#include "services/cli/table.h"

namespace granary::bench {
namespace {

struct MachineSums {
  std::uint64_t records = 0, events = 0, commits = 0;
  double apply_seconds = 0, commit_seconds = 0;
};

void tell_perf(const Arguments& arguments, const char* what) {
  if (arguments.perf_control.empty()) return;
  std::ofstream control(arguments.perf_control);
  control << what << std::endl;
  if (!control) throw CannotMeasure("perf's control file " + arguments.perf_control + " cannot be written");
}

double ratio(double a, double b) {
  return b == 0 ? 0 : a / b;
}

}  // namespace

Folded fold_usage(BenchLedger& ledger, const Arguments& arguments, std::uint64_t events, const FoldSteps& steps) {
  Folded folded;
  folded.events = events;
  const runtime::Token token = ledger.all_usage();
  trim_heap();
  reset_rss_peak();
  const int broker_pid = arguments.brokers.empty()   ? 0
                         : arguments.broker_pid != 0 ? arguments.broker_pid
                                                     : find_broker();
  const double opened = seconds_now();
  ledger.start();
  tell_perf(arguments, "enable");
  const double started = seconds_now();
  const CpuTimes before = cpu_now();
  const double broker_before = cpu_seconds_of(broker_pid);
  folded.open_seconds = started - opened;
  if (steps.started) steps.started();
  ledger.settle(token);
  folded.seconds = seconds_now() - started;
  const CpuTimes after = cpu_now();
  folded.broker_seconds = cpu_seconds_of(broker_pid) - broker_before;
  folded.cpu_seconds = after.process - before.process;
  folded.cpu_by_thread = cpu_between(before, after);
  tell_perf(arguments, "disable");
  folded.rss_peak_mib = rss_peak_mib();
  folded.shards = ledger.runtime().status();
  if (steps.settled) steps.settled();
  ledger.stop();
  return folded;
}

void print_machines(const Folded& folded) {
  std::map<machine::MachineKind, MachineSums> machines;
  for (const runtime::ShardStatus& shard : folded.shards) {
    MachineSums& sums = machines[shard.machine];
    sums.records += shard.position;
    sums.events += shard.events;
    sums.commits += shard.commits;
    sums.apply_seconds += shard.apply_seconds;
    sums.commit_seconds += shard.commit_seconds.sum();
  }
  const double million = static_cast<double>(folded.events) / 1e6;
  std::map<std::string, double> threads = folded.cpu_by_thread;
  cli::Table table(
      {"machine", "events", "commits", "events a commit", "apply s", "commit s", "cpu s", "cpu s per million"});
  for (const auto& [kind, sums] : machines) {
    const std::string name(machine::machine_name(kind));
    const double cpu = threads[name];
    threads.erase(name);
    table.add({name, count_text(sums.events), count_text(sums.commits),
               fixed(ratio(static_cast<double>(sums.events), static_cast<double>(sums.commits)), 0),
               fixed(sums.apply_seconds, 2), fixed(sums.commit_seconds, 2), fixed(cpu, 2), fixed(cpu / million, 2)});
  }
  table.print(stdout);
  std::printf("\n");
  cli::Table others({"other threads", "cpu s", "cpu s per million"});
  for (const auto& [name, seconds] : threads)
    if (seconds >= 0.005) others.add({name, fixed(seconds, 2), fixed(seconds / million, 2)});
  if (folded.broker_seconds > 0)
    others.add({"the broker (a process)", fixed(folded.broker_seconds, 2), fixed(folded.broker_seconds / million, 2)});
  others.print(stdout);
  std::printf("\n");
}

void add_folded(ResultLine& line, const Folded& folded) {
  line.number("events", folded.events);
  line.number("events_per_s", folded.events_per_s(), 0);
  line.number("cpu_s_per_million", folded.cpu_s_per_million(), 2);
  line.number("rss_peak_mib", folded.rss_peak_mib, 0);
  line.number("open_s", folded.open_seconds, 2);
}

}  // namespace granary::bench
