// Usage that stands in its topic, through metering, allocation and billing, until the last billing record is durable.
#include "services/cli/table.h"
#include "tests/bench/at_rate.h"
#include "tests/bench/commands.h"
#include "tests/bench/folding.h"

namespace granary::bench {
namespace {

using machine::Topic;

constexpr std::size_t kReadBytes = 4U << 20;

struct TopicSize {
  std::uint64_t records = 0, bytes = 0;
};

// Bytes of values, keys and headers: what the log has to hold, whatever its own overhead.
TopicSize size_of(const journal::Journal& journal, Topic topic) {
  TopicSize size;
  journal::ReadBatch batch;
  for (std::uint16_t partition = 0; partition < machine::partitions_of(topic, kPartitions); ++partition) {
    const journal::Partition place{std::string(machine::topic_name(topic)), partition};
    const journal::Offset end = must(journal.end(place));
    for (journal::Offset at = 0; at < end; at += batch.records.size()) {
      must(journal.read(place, at, kReadBytes, batch));
      for (const journal::Record& record : batch.records) {
        size.bytes += record.value.size() + record.key.size();
        for (const auto& [name, value] : record.headers) size.bytes += name.size() + value.size();
      }
      size.records += batch.records.size();
    }
  }
  return size;
}

void print_disk(BenchLedger& ledger, const Folded& folded, ResultLine& line) {
  const auto per_event = [&](std::uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(folded.events);
  };
  cli::Table topics({"topic", "records", "bytes a record", "bytes per usage event"});
  std::uint64_t all = 0;
  for (const Topic topic : machine::kTopics) {
    const TopicSize size = size_of(ledger.journal(), topic);
    all += size.bytes;
    topics.add(
        {std::string(machine::topic_name(topic)), count_text(size.records),
         fixed(static_cast<double>(size.bytes) / static_cast<double>(std::max<std::uint64_t>(size.records, 1)), 0),
         fixed(per_event(size.bytes), 1)});
    if (topic == Topic::billing) line.number("billing_records", size.records);
    if (topic == Topic::usage)
      line.number("usage_record_bytes", static_cast<double>(size.bytes) / static_cast<double>(size.records), 0);
  }
  topics.print(stdout);
  std::printf("\n");
  cli::Table disk({"on disk", "MiB", "bytes per usage event"});
  const auto row = [&](const std::string& name, std::uint64_t bytes) {
    disk.add({name, fixed(static_cast<double>(bytes) / (1 << 20), 1), fixed(per_event(bytes), 1)});
  };
  std::uint64_t state = 0;
  for (const machine::MachineKind kind : machine::kMachines) {
    const std::uint64_t bytes = ledger.state_bytes(kind);
    state += bytes;
    row("state of " + std::string(machine::machine_name(kind)), bytes);
  }
  const std::uint64_t log = disk_bytes(ledger.folder() + "/journal");
  if (log > 0) row("log", log);
  disk.print(stdout);
  std::printf("\n");
  line.number("log_bytes_per_event", per_event(all), 1);
  line.number("state_bytes_per_event", per_event(state), 1);
}

// After the full speed, in the same ledger, on with the same stream.
void measure_rates(BenchLedger& ledger, const Jobs& jobs, std::uint64_t from, double full_rate, int seconds,
                   ResultLine& line) {
  cli::Table table(
      {"append to billing record, at", "events a second", "billing records", "p50 ms", "p99 ms", "max ms"});
  for (const auto& [name, share] : {std::pair{"tenth", 0.1}, std::pair{"half", 0.5}}) {
    AtRate measured;
    from = measure_at_rate(ledger, jobs, from, full_rate * share, seconds, measured);
    table.add({std::string("a ") + name + " of the full rate", fixed(measured.events_per_s, 0),
               count_text(measured.records), fixed(measured.p50_ms, 1), fixed(measured.p99_ms, 1),
               fixed(measured.max_ms, 1)});
    line.number("ms_p50_at_a_" + std::string(name), measured.p50_ms, 1);
    line.number("ms_p99_at_a_" + std::string(name), measured.p99_ms, 1);
  }
  table.print(stdout);
  std::printf("\n");
}

}  // namespace

void bench_pipeline(const Arguments& arguments, int at_rate_s) {
  BenchLedger ledger(arguments);
  ledger.set_up(arguments.workload.projects);
  const Jobs jobs(arguments.workload);
  const std::uint64_t fresh = ledger.append_usage(jobs, 0, arguments.workload.events);
  const Folded folded = fold_usage(ledger, arguments, arguments.workload.events);
  const std::string hash = ledger.result_hash(all_machines());

  std::printf("%llu usage events (%llu of them no repeats) of %llu projects in %.2f s: %.0f a second\n\n",
              static_cast<unsigned long long>(folded.events), static_cast<unsigned long long>(fresh),
              static_cast<unsigned long long>(arguments.workload.projects), folded.seconds, folded.events_per_s());
  print_machines(folded);
  ResultLine line;
  add_folded(line, folded);
  print_disk(ledger, folded, line);
  if (at_rate_s > 0) measure_rates(ledger, jobs, folded.events, folded.events_per_s(), at_rate_s, line);
  line.text("result_hash", hash);
  line.print();
}

}  // namespace granary::bench
