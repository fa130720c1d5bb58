// CloudEvents in batches over several connections, through the real listener and door into the log, while the machines
// fold what has come. What counts is acknowledged, and so durable.
#include <atomic>
#include <mutex>

#include "services/cli/table.h"
#include "tests/bench/commands.h"
#include "tests/bench/measuring.h"
#include "tests/bench/serving.h"

namespace granary::bench {
namespace {

std::string batch_of(const Jobs& jobs, std::uint64_t from, std::uint64_t to) {
  std::string body = "[";
  for (std::uint64_t place = from; place < to; ++place) {
    if (place > from) body += ',';
    body += jobs.cloud_event(jobs.number_at(place));
  }
  return body + "]";
}

}  // namespace

void bench_intake(const Arguments& arguments, int connections, std::uint64_t batch) {
  BenchLedger ledger(arguments);
  ledger.set_up(arguments.workload.projects);
  ledger.start();
  Serving serving(ledger);

  const Jobs jobs(arguments.workload);
  const std::uint64_t events = arguments.workload.events;
  std::atomic<std::uint64_t> next = 0;
  std::mutex mutex;
  std::vector<double> latencies_ms;
  Progress progress("events acknowledged", events);
  trim_heap();
  reset_rss_peak();
  const CpuTimes before = cpu_now();
  const double started = seconds_now();
  Clients clients(serving.url(), connections, [&](int, http::Client& client) {
    for (std::uint64_t from = next.fetch_add(batch); from < events; from = next.fetch_add(batch)) {
      const std::uint64_t to = std::min(events, from + batch);
      const http::ClientRequest request{
          "POST", "/v1/events", {}, "application/cloudevents-batch+json", batch_of(jobs, from, to)};
      const double sent = seconds_now();
      const auto answer = must_answer(client, request, 202);
      const double took_ms = (seconds_now() - sent) * 1000;
      if (answer.body.find("\"accepted\":" + std::to_string(to - from)) == std::string::npos)
        throw CannotMeasure("expected all of a batch to be accepted, got " + answer.body.substr(0, 300));
      const std::lock_guard lock(mutex);
      latencies_ms.push_back(took_ms);
      progress.show(to);
    }
  });
  const double clients_cpu = clients.finish();
  const double seconds = seconds_now() - started;
  ledger.settle(ledger.all_usage());
  const double folded_seconds = seconds_now() - started;
  const CpuTimes after = cpu_now();
  const double peak = rss_peak_mib();
  serving.stop();
  ledger.stop();

  const double million = static_cast<double>(events) / 1e6;
  std::printf("%llu events in batches of %llu over %d connections, durable in %.2f s and folded in %.2f s\n\n",
              static_cast<unsigned long long>(events), static_cast<unsigned long long>(batch), connections, seconds,
              folded_seconds);
  cli::Table table({"acknowledged events a second", "batch p50 ms", "batch p99 ms"});
  const double p50 = percentile(latencies_ms, 0.5);
  const double p99 = percentile(latencies_ms, 0.99);
  table.add({fixed(static_cast<double>(events) / seconds, 0), fixed(p50, 2), fixed(p99, 2)});
  table.print(stdout);
  std::printf("\n");
  cli::Table threads({"threads", "cpu s", "cpu s per million"});
  threads.add({"clients", fixed(clients_cpu, 2), fixed(clients_cpu / million, 2)});
  for (const auto& [name, used] : cpu_between(before, after))
    if (name != "(ended)" && used >= 0.005) threads.add({name, fixed(used, 2), fixed(used / million, 2)});
  threads.print(stdout);
  std::printf("\n");
  ResultLine line;
  line.number("events", events);
  line.number("events_per_s", static_cast<double>(events) / seconds, 0);
  line.number("folded_events_per_s", static_cast<double>(events) / folded_seconds, 0);
  line.number("cpu_s_per_million", (after.process - before.process - clients_cpu) / million, 2);
  line.number("clients_cpu_s_per_million", clients_cpu / million, 2);
  line.number("rss_peak_mib", peak, 0);
  line.number("batch_ms_p50", p50, 2);
  line.number("batch_ms_p99", p99, 2);
  line.text("result_hash", ledger.result_hash(machines_behind_metering()));
  line.print();
}

}  // namespace granary::bench
