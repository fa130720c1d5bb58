// Whether an event costs the same in a large ledger as in a small one: processor time per event at ten times the
// events, and at a thousand times the projects. The bench's own sizes are the large ones.
#include "services/cli/table.h"
#include "shared/proof/hash.h"
#include "tests/bench/commands.h"
#include "tests/bench/folding.h"

namespace granary::bench {

void bench_scale(const Arguments& arguments) {
  const Workload& large = arguments.workload;
  const auto part = [](std::uint64_t whole, std::uint64_t of) { return std::max<std::uint64_t>(1, whole / of); };
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> sizes{
      {part(large.events, 10), part(large.projects, 100)},
      {large.events, part(large.projects, 100)},
      {part(large.events, 10), part(large.projects, 1000)},
      {part(large.events, 10), large.projects},
  };
  cli::Table table({"events", "projects", "events a second", "cpu s per million", "peak MiB"});
  std::vector<Folded> runs;
  Bytes hashes;
  for (const auto& [events, projects] : sizes) {
    Arguments one = arguments;
    one.workload.events = events;
    one.workload.projects = projects;
    if (!arguments.data.empty()) one.data = arguments.data + "/" + std::to_string(runs.size());
    BenchLedger ledger(one);
    ledger.set_up(projects);
    ledger.append_usage(Jobs(one.workload), 0, events);
    runs.push_back(fold_usage(ledger, one, events));
    hashes += ledger.result_hash(all_machines());
    const Folded& run = runs.back();
    table.add({count_text(events), count_text(projects), fixed(run.events_per_s(), 0),
               fixed(run.cpu_s_per_million(), 2), fixed(run.rss_peak_mib, 0)});
  }
  table.print(stdout);
  const double by_events = runs[1].cpu_s_per_million() / runs[0].cpu_s_per_million();
  const double by_projects = runs[3].cpu_s_per_million() / runs[2].cpu_s_per_million();
  std::printf("\nan event costs %.2f times as much at ten times the events, %.2f times at %.0f times the projects\n\n",
              by_events, by_projects, static_cast<double>(sizes[3].second) / static_cast<double>(sizes[2].second));
  ResultLine line;
  add_folded(line, runs[1]);
  line.number("cost_ratio_by_events", by_events, 3);
  line.number("cost_ratio_by_projects", by_projects, 3);
  line.text("result_hash", to_hex(view_of(proof::sha256(hashes))));
  line.print();
}

}  // namespace granary::bench
