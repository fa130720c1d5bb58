// What the machines remember costs in memory and on disk: per million identities in the acceptance window, per project,
// per charge.
#include <algorithm>

#include "services/cli/table.h"
#include "shared/fold/fold.h"
#include "shared/machine/id_buckets.h"
#include "shared/proof/hash.h"
#include "tests/bench/commands.h"
#include "tests/bench/folding.h"

namespace granary::bench {
namespace {

using machine::MachineKind;

constexpr std::uint64_t kChargesMax = 500'000;
constexpr std::uint64_t kFlushEvery = 50'000;
constexpr std::int64_t kFirstDay = 20'000;
constexpr std::uint64_t kWindowDays = 400;

struct Ids {
  double seconds = 0, cpu_seconds = 0;
  double rss_bytes = 0, index_bytes = 0, disk_bytes = 0;  // an id
  double rss_peak_mib = 0;
  Hash32 digest{};
};

// As metering keeps them, all in one shard. The memory of an id is what the second half of them added: the store's
// buffers are full by then.
Ids measure_ids(std::uint64_t seed, std::uint64_t count, const std::string& directory) {
  const store::RocksEnvironment environment{store::RocksOptions{}};
  const auto store = must(store::open_rocks_store(environment, directory));
  enum class Prefix : std::uint8_t { ids = 1 };
  machine::TableSet tables;
  machine::IdBuckets ids(tables, Prefix::ids);
  ids.open(*store);
  Ids measured;
  reset_rss_peak();
  const CpuTimes before = cpu_now();
  const double started = seconds_now();
  double rss_at_half = 0;
  Progress progress("identities", count);
  for (std::uint64_t n = 0; n < count; ++n) {
    Bytes name;
    append_u64(name, seed);
    append_u64(name, n);
    const Hash32 hash = proof::sha256(name);
    const Id16 id = id_of(hash);
    const Hash32 substance = proof::sha256(view_of(hash));  // what is like noise, no file makes smaller
    if (ids.find(id)) throw CannotMeasure("an identity was there before it was added");
    // Days come as time goes on: the newest buckets grow.
    ids.add(id, substance, kFirstDay + static_cast<std::int64_t>(n * kWindowDays / count),
            static_cast<std::uint16_t>(n % 8), n);
    if (n % kFlushEvery == kFlushEvery - 1 || n + 1 == count) {
      store::WriteSet rows;
      ids.flush(rows);
      must(store->commit(rows));
      progress.show(n);
    }
    if (n == count / 2) {
      trim_heap();
      rss_at_half = rss_now_mib();
    }
  }
  measured.seconds = seconds_now() - started;
  measured.cpu_seconds = cpu_now().process - before.process;
  trim_heap();
  const auto per_id = [](double bytes, std::uint64_t of) {
    return bytes / static_cast<double>(std::max<std::uint64_t>(of, 1));
  };
  measured.rss_bytes = per_id((rss_now_mib() - rss_at_half) * (1 << 20), count - count / 2);
  measured.index_bytes = per_id(static_cast<double>(ids.index_bytes()), count);
  measured.disk_bytes = per_id(static_cast<double>(disk_bytes(directory)), count);
  measured.rss_peak_mib = rss_peak_mib();
  measured.digest = runtime::state_digest(*store);
  return measured;
}

// Of the four machines: memory while they run, their stores once all is in files.
struct Held {
  double rss_bytes = 0;
  std::map<MachineKind, std::uint64_t> disk;
};

double running_rss_bytes() {
  trim_heap();
  return rss_now_mib() * (1 << 20);
}

std::map<MachineKind, std::uint64_t> state_on_disk(BenchLedger& ledger) {
  (void)ledger.result_hash(all_machines());  // opening a store writes what only its log of writes holds into a file
  std::map<MachineKind, std::uint64_t> bytes;
  for (const MachineKind kind : machine::kMachines) bytes[kind] = ledger.state_bytes(kind);
  return bytes;
}

}  // namespace

void bench_state(const Arguments& arguments) {
  const std::uint64_t count = arguments.workload.events;
  BenchLedger ledger(arguments);
  const Ids ids = measure_ids(arguments.workload.seed, count, ledger.folder() + "/ids");

  Held empty, with_projects, with_charges;
  ledger.start();
  empty.rss_bytes = running_rss_bytes();
  ledger.stop();
  empty.disk = state_on_disk(ledger);
  ledger.set_up(arguments.workload.projects, [&] { with_projects.rss_bytes = running_rss_bytes(); });
  with_projects.disk = state_on_disk(ledger);
  Arguments charging = arguments;
  charging.workload.events = std::min(count, kChargesMax);
  ledger.append_usage(Jobs(charging.workload), 0, charging.workload.events);
  const Folded folded = fold_usage(ledger, charging, charging.workload.events,
                                   {{}, [&] { with_charges.rss_bytes = running_rss_bytes(); }});
  with_charges.disk = state_on_disk(ledger);

  cli::Table table({"per million identities", "MiB"});
  const auto mib_a_million = [](double bytes) { return fixed(bytes * 1e6 / (1 << 20), 1); };
  table.add({"memory, all (as the second half added)", mib_a_million(ids.rss_bytes)});
  table.add({"memory of the index", mib_a_million(ids.index_bytes)});
  table.add({"disk", mib_a_million(ids.disk_bytes)});
  table.print(stdout);
  std::printf("\n");
  const auto grown = [](double from, double to, std::uint64_t by) { return (to - from) / static_cast<double>(by); };
  const std::uint64_t projects = arguments.workload.projects;
  const std::uint64_t charges = charging.workload.events;
  cli::Table rows({"what the machines hold", "bytes per project", "bytes per charge"});
  double project_bytes = 0;
  double charge_bytes = 0;
  for (const MachineKind kind : machine::kMachines) {
    const auto disk = [kind](const Held& held) { return static_cast<double>(held.disk.at(kind)); };
    const double project = grown(disk(empty), disk(with_projects), projects);
    const double charge = grown(disk(with_projects), disk(with_charges), charges);
    project_bytes += project;
    charge_bytes += charge;
    rows.add({"disk, " + std::string(machine::machine_name(kind)), fixed(project, 1), fixed(charge, 1)});
  }
  const double project_rss = grown(empty.rss_bytes, with_projects.rss_bytes, projects);
  const double charge_rss = grown(with_projects.rss_bytes, with_charges.rss_bytes, charges);
  rows.add({"memory, with buffers and caches", fixed(project_rss, 1), fixed(charge_rss, 1)});
  rows.print(stdout);
  std::printf("\n%.1f million identities in %.1f s; the pipeline's peak memory over %llu events: %.0f MiB\n\n",
              static_cast<double>(count) / 1e6, ids.seconds, static_cast<unsigned long long>(charging.workload.events),
              folded.rss_peak_mib);
  ResultLine line;
  line.number("events", count);
  line.number("events_per_s", static_cast<double>(count) / ids.seconds, 0);
  line.number("cpu_s_per_million", ids.cpu_seconds * 1e6 / static_cast<double>(count), 2);
  line.number("rss_peak_mib", ids.rss_peak_mib, 0);
  line.number("rss_bytes_per_id", ids.rss_bytes, 1);
  line.number("index_bytes_per_id", ids.index_bytes, 1);
  line.number("disk_bytes_per_id", ids.disk_bytes, 1);
  line.number("rss_bytes_per_project", project_rss, 1);
  line.number("rss_bytes_per_charge", charge_rss, 1);
  line.number("disk_bytes_per_project", project_bytes, 1);
  line.number("disk_bytes_per_charge", charge_bytes, 1);
  Bytes both(view_of(ids.digest));
  both += ledger.result_hash(all_machines());
  line.text("result_hash", to_hex(view_of(proof::sha256(both))));
  line.print();
}

}  // namespace granary::bench
