// Balances asked for over HTTP while the machines fold at full speed. The questions come at a fixed rate, whether the
// last one was answered or not, and the wait for a free connection counts: a stall shows in every question that it
// hits.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "services/cli/table.h"
#include "tests/bench/commands.h"
#include "tests/bench/folding.h"
#include "tests/bench/serving.h"

namespace granary::bench {

void bench_read(const Arguments& arguments, int connections, int reads_per_s) {
  BenchLedger ledger(arguments);
  ledger.set_up(arguments.workload.projects);
  const Jobs jobs(arguments.workload);
  ledger.append_usage(jobs, 0, arguments.workload.events);

  std::optional<Serving> serving;
  std::optional<Clients> clients;
  std::mutex mutex;
  std::condition_variable ended;
  bool folded_all = false;
  std::vector<double> latencies_ms;
  double clients_cpu = 0;
  const auto ask = [&](int connection, http::Client& client) {
    using Clock = std::chrono::steady_clock;
    const auto first = Clock::now();
    std::vector<double> own;
    for (std::uint64_t i = 0;; ++i) {
      const std::uint64_t question =
          i * static_cast<std::uint64_t>(connections) + static_cast<std::uint64_t>(connection);
      const auto due = first + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(static_cast<double>(question) / reads_per_s));
      {
        std::unique_lock lock(mutex);
        if (ended.wait_until(lock, due, [&] { return folded_all; })) break;
      }
      // Those are asked for that have jobs: the more, the more often.
      const std::string project = jobs.usage_of(question % arguments.workload.events).project;
      must_answer(client, {"GET", "/v1/projects/" + project + "/balance"}, 200);
      own.push_back(std::chrono::duration<double, std::milli>(Clock::now() - due).count());
    }
    const std::lock_guard lock(mutex);
    latencies_ms.insert(latencies_ms.end(), own.begin(), own.end());
  };
  FoldSteps steps;
  steps.started = [&] {
    serving.emplace(ledger);
    clients.emplace(serving->url(), connections, ask);
  };
  steps.settled = [&] {
    {
      const std::lock_guard lock(mutex);
      folded_all = true;
    }
    ended.notify_all();
    clients_cpu = clients->finish();
    serving->stop();
  };
  const Folded folded = fold_usage(ledger, arguments, arguments.workload.events, steps);

  const double p50 = percentile(latencies_ms, 0.5);
  const double p99 = percentile(latencies_ms, 0.99);
  std::printf("%zu balances read in %.2f s, while %.0f events a second were folded\n\n", latencies_ms.size(),
              folded.seconds, folded.events_per_s());
  cli::Table table({"reads a second", "p50 ms", "p99 ms", "max ms"});
  table.add({fixed(static_cast<double>(latencies_ms.size()) / folded.seconds, 0), fixed(p50, 2), fixed(p99, 2),
             fixed(percentile(latencies_ms, 1), 2)});
  table.print(stdout);
  std::printf("\n");
  print_machines(folded);
  ResultLine line;
  add_folded(line, folded);
  line.number("reads", latencies_ms.size());
  line.number("read_ms_p50", p50, 2);
  line.number("read_ms_p99", p99, 2);
  line.number("clients_cpu_s", clients_cpu, 2);
  line.text("result_hash", ledger.result_hash(all_machines()));
  line.print();
}

}  // namespace granary::bench
