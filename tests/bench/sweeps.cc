// What many rows at once do to everybody else: --events usages wait for one project, one binding or one price book, or
// the lots of --projects end at one instant; then it comes, while other usage is appended at a fixed rate and balances
// of others are read. The longest time that a shard with work was between two commits is what a read may have waited.
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "services/cli/table.h"
#include "shared/events/record.h"
#include "tests/bench/commands.h"
#include "tests/bench/measuring.h"
#include "tests/bench/serving.h"

namespace granary::bench {
namespace {

using machine::MachineKind;
using machine::Topic;

constexpr int kReaders = 4;
constexpr int kReadsPerS = 200;
constexpr std::uint64_t kUsagePerS = 2'000;
constexpr std::uint64_t kSliceMs = 20;
constexpr units::Instant kMuchLater = kNow.plus_ms(200 * units::kDayMs);  // all lots have ended

// What each usage that waits is, and what lets it go.
events::UsageReported waiting_usage(const Jobs& jobs, std::uint64_t number, const std::string& what) {
  events::UsageReported usage = jobs.usage_of(number);
  if (what == "project") usage.project = "late";
  if (what == "prices") usage.resources = {{"late", units::Quantity(1000), {}, ""}};
  if (what != "binding") return usage;
  usage.project.clear();
  usage.cluster = "aif";
  usage.account = "late";
  return usage;
}

std::vector<events::Event> releases(const std::string& what) {
  if (what == "project") return {events::ProjectRegistered{"late", "o0", "", {}}};
  if (what == "binding") return {events::AccountBound{"aif", "late", project_name(0), {}, {}}};
  events::PriceBookPublished prices{"late", "1", units::Instant(), "EUR", {}, {}};
  prices.prices.push_back({"late", units::Price(1'000'000), "resource-hour", {}, {}});
  return {prices};
}

// The longest time that a shard had work and did not commit.
class CommitGaps {
 public:
  explicit CommitGaps(BenchLedger& ledger) : thread_([this, &ledger] { watch(ledger); }) {}
  ~CommitGaps() {
    if (thread_.joinable()) stop();
  }
  double stop() {
    stopping_ = true;
    thread_.join();
    return longest_;
  }

 private:
  struct Seen {
    std::uint64_t commits = 0;
    double since = 0;
  };
  void watch(BenchLedger& ledger) {
    std::map<std::pair<MachineKind, std::uint16_t>, Seen> shards;
    while (!stopping_) {
      const double now = seconds_now();
      for (const runtime::ShardStatus& shard : ledger.runtime().status()) {
        Seen& seen = shards[{shard.machine, shard.shard}];
        if (seen.commits != shard.commits || shard.committed >= shard.end) seen = {shard.commits, now};
        longest_ = std::max(longest_, now - seen.since);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  std::atomic<bool> stopping_ = false;
  double longest_ = 0;
  std::thread thread_;
};

}  // namespace

void bench_sweeps(const Arguments& arguments, const std::string& what) {
  BenchLedger ledger(arguments);
  ledger.set_up(arguments.workload.projects);
  const Jobs jobs(arguments.workload);
  const std::uint64_t events = what == "lots" ? 0 : arguments.workload.events;
  ledger.start();
  if (what == "prices") {
    events::PolicyPublished classes{events::PolicyKind::resource_classes, "2", units::Instant(1), {}};
    classes.content.classes.push_back({"late", units::UnitKind::resource_us, events::Charging::lots});
    for (const char* name : {"gpu", "cpu", "qpu"})
      classes.content.classes.push_back({name, units::UnitKind::resource_us, events::Charging::lots});
    classes.content.classes.push_back({"storage", units::UnitKind::byte_ms, events::Charging::lots});
    events::PolicyPublished overdraft{events::PolicyKind::overdraft, "2", units::Instant(1), {}};
    overdraft.content.mode = events::OverdraftMode::bill;
    overdraft.content.seller = "late";
    ledger.settle(ledger.decide({classes, overdraft}));
  }
  ledger.append(events, [&](std::uint64_t number) { return waiting_usage(jobs, number, what); });
  if (events > 0) ledger.settle(ledger.all_usage());

  Serving serving(ledger);
  std::atomic<bool> is_over = false;
  std::mutex mutex;
  std::vector<double> latencies_ms;
  Clients clients(serving.url(), kReaders, [&](int connection, http::Client& client) {
    using Clock = std::chrono::steady_clock;
    const auto first = Clock::now();
    std::vector<double> own;
    for (std::uint64_t i = 0; !is_over; ++i) {
      const auto due =
          first + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                      static_cast<double>(i * kReaders + static_cast<std::uint64_t>(connection)) / kReadsPerS));
      std::this_thread::sleep_until(due);
      const std::uint64_t project = (i * 7919 + 1) % arguments.workload.projects;
      must_answer(client, {"GET", "/v1/projects/" + project_name(project) + "/balance"}, 200);
      own.push_back(std::chrono::duration<double, std::milli>(Clock::now() - due).count());
    }
    const std::lock_guard lock(mutex);
    latencies_ms.insert(latencies_ms.end(), own.begin(), own.end());
  });
  std::uint64_t next = events;
  std::thread others([&] {
    for (auto due = std::chrono::steady_clock::now(); !is_over; due += std::chrono::milliseconds(kSliceMs)) {
      std::this_thread::sleep_until(due);
      const std::uint64_t until = next + kUsagePerS * kSliceMs / 1000;
      ledger.append_usage(jobs, next, until);
      next = until;
    }
  });

  trim_heap();
  reset_rss_peak();
  CommitGaps gaps(ledger);
  const double started = seconds_now();
  if (what == "lots") {
    ledger.complete(MachineKind::allocation, kMuchLater);
  } else {
    ledger.settle(ledger.decide(releases(what)));
  }
  const double seconds = seconds_now() - started;
  const double gap = gaps.stop();
  const double peak = rss_peak_mib();
  is_over = true;
  others.join();
  clients.finish();
  serving.stop();
  ledger.stop();

  std::printf("%s: all that it lets go was done in %.2f s, while %llu other usages a second came\n\n", what.c_str(),
              seconds, static_cast<unsigned long long>(kUsagePerS));
  const double p50 = percentile(latencies_ms, 0.5), p99 = percentile(latencies_ms, 0.99);
  cli::Table table({"longest between commits ms", "balances of others p50 ms", "p99 ms", "max ms", "peak MiB"});
  table.add(
      {fixed(gap * 1000, 0), fixed(p50, 2), fixed(p99, 2), fixed(percentile(latencies_ms, 1), 2), fixed(peak, 0)});
  table.print(stdout);
  std::printf("\n");
  ResultLine line;
  line.number("events", events);
  line.number("seconds", seconds, 2);
  line.number("commit_gap_ms_max", gap * 1000, 0);
  line.number("read_ms_p50", p50, 2);
  line.number("read_ms_p99", p99, 2);
  line.number("rss_peak_mib", peak, 0);
  line.print();
}

}  // namespace granary::bench
