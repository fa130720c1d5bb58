// How fast the machines fold a log that stands, each shard into an empty state, one after the other on one thread; as
// `granary replay` does. The log is that of --data, else one is made as `pipeline` does, and then the states that the
// pipeline left must come out again.
#include <unistd.h>

#include <ctime>
#include <filesystem>

#include "services/cli/table.h"
#include "services/standalone/machines.h"
#include "shared/journal/embedded_journal.h"
#include "shared/ledger/ledger.h"
#include "shared/runtime/replay.h"
#include "tests/bench/commands.h"
#include "tests/bench/folding.h"

namespace granary::bench {
namespace {

using machine::MachineKind;
using machine::Topic;

constexpr std::size_t kCommitEvery = 20'000;

double own_thread_seconds() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

struct MachineSums {
  std::uint64_t records = 0;
  double seconds = 0, cpu_seconds = 0;
};

struct Replayed {
  std::map<MachineKind, MachineSums> machines;
  std::map<Topic, std::uint64_t> sent;  // events of the lanes to each topic
  std::vector<Hash32> digests;
};

Replayed replay_all(const journal::Journal& journal, std::uint16_t partitions, const std::string& folder) {
  const auto inbox = [](MachineKind kind, std::uint16_t shard) {
    return journal::Partition{std::string(machine::topic_name(machine::inbox_of(kind))), shard};
  };
  std::uint64_t all = 0;
  for (const MachineKind kind : machine::kMachines)
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, partitions); ++shard)
      all += must(journal.end(inbox(kind, shard)));
  const store::RocksEnvironment environment{store::RocksOptions{}};
  const std::string scratch_folder = folder + "/replay-" + std::to_string(getpid());
  Replayed replayed;
  Progress progress("records folded", all);
  std::uint64_t done = 0;
  for (const MachineKind kind : machine::kMachines) {
    MachineSums& sums = replayed.machines[kind];
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, partitions); ++shard) {
      auto scratch = must(store::open_rocks_store(environment, scratch_folder));
      const double started = seconds_now();
      const double cpu_started = own_thread_seconds();
      const auto digest =
          must(runtime::replay_shard(journal, must(runtime::read_ledger(journal)), kind, shard,
                                     must(journal.end(inbox(kind, shard))), standalone::make_machine(kind, shard),
                                     *scratch, kCommitEvery, [&](std::size_t count) { progress.show(done += count); }));
      sums.seconds += seconds_now() - started;
      sums.cpu_seconds += own_thread_seconds() - cpu_started;
      sums.records += digest.position;
      for (const auto& [target, counter] : digest.lanes) replayed.sent[target.topic] += counter.number;
      replayed.digests.push_back(digest.digest);
      scratch.reset();
      std::filesystem::remove_all(scratch_folder);
    }
  }
  return replayed;
}

void report(const Replayed& replayed, double rss_peak) {
  cli::Table table({"machine", "records", "events", "seconds", "cpu s", "events a second and core"});
  MachineSums all;
  std::uint64_t all_events = 0;
  for (const auto& [kind, sums] : replayed.machines) {
    const auto sent = replayed.sent.find(machine::inbox_of(kind));
    // Raw events are a record each, with a few facts in packets beside them; what comes by lanes is in packets.
    const bool is_raw = kind == MachineKind::intake || kind == MachineKind::metering;
    const std::uint64_t events = is_raw || sent == replayed.sent.end() ? sums.records : sent->second;
    table.add({std::string(machine::machine_name(kind)), count_text(sums.records), count_text(events),
               fixed(sums.seconds, 2), fixed(sums.cpu_seconds, 2),
               fixed(static_cast<double>(events) / std::max(sums.cpu_seconds, 1e-9), 0)});
    all.seconds += sums.seconds;
    all.cpu_seconds += sums.cpu_seconds;
    all_events += events;
  }
  table.print(stdout);
  // A usage event is folded by three machines: its speed through all of them.
  const std::uint64_t usage = replayed.machines.at(MachineKind::metering).records;
  std::printf("\nall machines one after the other: %.0f events folded a second, %.0f usage events a second\n\n",
              static_cast<double>(all_events) / all.seconds, static_cast<double>(usage) / all.seconds);
  ResultLine line;
  line.number("events", usage);
  line.number("events_per_s", static_cast<double>(usage) / all.seconds, 0);
  line.number("folds_per_s", static_cast<double>(all_events) / all.seconds, 0);
  line.number("cpu_s_per_million", all.cpu_seconds * 1e6 / static_cast<double>(std::max<std::uint64_t>(usage, 1)), 2);
  line.number("rss_peak_mib", rss_peak, 0);
  line.text("result_hash", hash_of(replayed.digests));
  line.print();
}

}  // namespace

void bench_replay(const Arguments& arguments) {
  if (!arguments.data.empty() && std::filesystem::exists(arguments.data + "/journal")) {
    const auto journal = must(journal::open_embedded_journal(arguments.data + "/journal", {}));
    const auto ledger = must(runtime::read_ledger(*journal));
    reset_rss_peak();
    const Replayed replayed = replay_all(*journal, ledger.partitions, arguments.data);
    return report(replayed, rss_peak_mib());
  }
  BenchLedger ledger(arguments);
  ledger.set_up(arguments.workload.projects);
  ledger.append_usage(Jobs(arguments.workload), 0, arguments.workload.events);
  fold_usage(ledger, arguments, arguments.workload.events);
  trim_heap();
  reset_rss_peak();
  const Replayed replayed = replay_all(ledger.journal(), kPartitions, ledger.folder());
  const double peak = rss_peak_mib();
  if (hash_of(replayed.digests) != ledger.result_hash(all_machines()))
    throw CannotMeasure("the fold of the log differs from the state that the pipeline left");
  report(replayed, peak);
}

}  // namespace granary::bench
