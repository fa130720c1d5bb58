// granary-bench-pipeline: N usage events that stand in the usage topic, through metering, allocation and billing over
// the embedded journal, until the last billing record is durable. Its last line is one JSON object; `result_hash`
// covers the machines' rows and must not change with speed.
//
//   granary-bench-pipeline [EVENTS] [PROJECTS]     default 400,000 events of 1,000 projects
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "services/standalone/machines.h"
#include "shared/events/record.h"
#include "shared/journal/embedded_journal.h"
#include "shared/proof/hash.h"
#include "shared/runtime/fold.h"
#include "shared/runtime/ledger.h"
#include "shared/runtime/replay.h"
#include "shared/store/rocks_store.h"

namespace {

using namespace granary;
using machine::MachineKind;
using machine::Topic;

constexpr std::uint16_t kPartitions = 8;
constexpr std::int64_t kStart = 1'790'000'000'000;

class FixedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return kStart; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return 0; }
};

Bytes raw_record(const events::Event& event, std::string id) {
  events::Raw raw;
  raw.source = "bench";
  raw.id = std::move(id);
  raw.time = raw.recorded_at = units::Instant(kStart);
  events::encode_event(event, raw.substance);
  return events::encode_record(raw);
}

void append(journal::Journal& journal, Topic topic, std::uint16_t partition, std::vector<Bytes> values) {
  std::vector<journal::Record> records(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) records[i].value = std::move(values[i]);
  const auto done = append_and_wait(journal, {std::string(machine::topic_name(topic)), partition}, std::move(records));
  if (!done.ok()) std::fprintf(stderr, "%s\n", done.error().message.c_str()), std::exit(1);
}

// Classes, a price, and per project an organisation with two lots, one of which runs out.
std::vector<Bytes> decisions(int projects) {
  std::vector<Bytes> out;
  const auto add = [&out](const events::Event& event) {
    out.push_back(raw_record(event, "d" + std::to_string(out.size())));
  };
  events::PolicyPublished classes{events::PolicyKind::resource_classes, "1", units::Instant(), {}};
  classes.content.classes = {{"gpu", events::UnitKind::resource_us, events::Charging::lots}};
  add(classes);
  add(events::PriceBookPublished{
      "s", "1", units::Instant(), "EUR", {{"gpu", units::Price(2'500'000'000), "resource-hour", {}, {}}}});
  for (int p = 0; p < projects; ++p) {
    const std::string n = std::to_string(p);
    add(events::OrganisationRegistered{"o" + n, "O", events::CustomerKind::startup, "FI", "", {}});
    add(events::ProjectRegistered{"p" + n, "o" + n, "", {}});
    events::ApplicationSubmitted application{
        "a" + n, "p" + n, "trial", "", {{"gpu", units::Quantity(1000), "resource-hour"}}, {}, {}, {}};
    application.period_to = units::Instant(kStart);
    add(application);
    add(events::ScreeningDecided{"a" + n, "", "trial", "", events::ScreeningOutcome::cleared, ""});
    events::GrantAwarded grant{"m", "", "s", "", "trial", "FI", {events::FundingKind::covered, {}}, {}};
    for (const int quantity : {20'000, 500'000'000})
      grant.lots.push_back({"gpu", units::Quantity(quantity), "resource-hour",
                            units::Instant(kStart - 40 * units::kDayMs), units::Instant(kStart + 40 * units::kDayMs),
                            0});
    add(events::ApplicationDecided{"a" + n, "p" + n, events::DecisionOutcome::awarded, "", grant});
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const int events = argc > 1 ? std::atoi(argv[1]) : 400'000;
  const int projects = argc > 2 ? std::atoi(argv[2]) : 1'000;
  const auto folder = std::filesystem::temp_directory_path() / ("granary-bench-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::string hash;
  double seconds = 0;
  std::uint64_t lines = 0;
  rusage before{}, after{};
  {
    auto journal = journal::open_embedded_journal((folder / "journal").string(), {});
    const auto ledger = journal.ok() ? runtime::open_ledger(**journal, kPartitions, FixedClock())
                                     : Result<runtime::Ledger>(journal.error());
    if (!ledger.ok()) return std::fprintf(stderr, "%s\n", ledger.error().message.c_str()), 1;
    store::RocksEnvironment environment{store::RocksOptions{}};
    const auto open_store = [&](MachineKind kind, std::uint16_t shard, bool) -> Result<std::unique_ptr<store::Store>> {
      std::filesystem::create_directories(folder / "state");
      return store::open_rocks_store(environment, service::state_directory(folder.string(), kind, shard));
    };
    const auto start = [&] {
      auto runtime = runtime::start_runtime(**journal, {}, standalone::make_machine, open_store, folder.string(),
                                            [](const Error& error) {
                                              std::fprintf(stderr, "%s\n", error.message.c_str());
                                              std::abort();
                                            });
      GRANARY_CHECK(runtime.ok(), "the runtime does not start: " + runtime.error().message);
      return std::move(*runtime);
    };
    const auto settle = [&](runtime::Runtime& runtime, const runtime::Token& token) {
      for (std::uint16_t shard = 0; shard < kPartitions; ++shard) {
        std::promise<void> folded;
        const auto alive = std::make_shared<int>(0);
        runtime.when_folded(token, MachineKind::billing, shard, alive, [&folded] { folded.set_value(); });
        folded.get_future().wait();
      }
      for (bool unsent = true; unsent;) {
        usleep(1000);
        unsent = false;
        for (const auto& shard : runtime.status()) unsent |= shard.outbox_packets > 0 || shard.committed < shard.end;
      }
    };
    std::vector<Bytes> decided = decisions(projects);
    const runtime::Token set_up{{{Topic::applications, 0, decided.size()}}};
    append(**journal, Topic::applications, 0, std::move(decided));
    auto runtime = start();
    settle(*runtime, set_up);
    runtime->stop();
    runtime.reset();

    std::vector<std::vector<Bytes>> usage(kPartitions);
    for (int i = 0; i < events; ++i) {
      events::UsageReported job;
      // A skew: some projects have many times the jobs of others.
      job.project =
          "p" + std::to_string(static_cast<std::uint64_t>(i) * 2654435761U % static_cast<std::uint64_t>(projects) *
                               (static_cast<std::uint64_t>(i) % 7 + 1) / 7);
      job.resources = {{"gpu", units::Quantity(1000 + i % 7 * 500), {}, ""}};
      job.start = units::Instant(kStart - (i % 720 + 2) * units::kHourMs);
      job.end = job.start.plus_ms(units::kMinuteMs * (1 + i % 50));
      const std::string id = "job-" + std::to_string(i);
      usage[proof::shard_of({"bench", id}, kPartitions)].push_back(raw_record(job, id));
    }
    runtime::Token token;
    for (std::uint16_t partition = 0; partition < kPartitions; ++partition) {
      append(**journal, Topic::usage, partition, std::move(usage[partition]));
      const auto end = (*journal)->end({std::string(machine::topic_name(Topic::usage)), partition});
      token.places.push_back({Topic::usage, partition, *end - 1});
    }
    getrusage(RUSAGE_SELF, &before);
    const std::int64_t started = system_clock().monotonic_ms();
    runtime = start();
    settle(*runtime, token);
    runtime->stop();
    runtime.reset();
    journal->reset();  // finishes what is queued: the last billing record is durable
    seconds = static_cast<double>(system_clock().monotonic_ms() - started) / 1000;
    getrusage(RUSAGE_SELF, &after);
    auto reopened = journal::open_embedded_journal((folder / "journal").string(), {});
    for (std::uint16_t partition = 0; partition < kPartitions && reopened.ok(); ++partition)
      lines += *(*reopened)->end({std::string(machine::topic_name(Topic::billing)), partition});
    Bytes all;
    for (const MachineKind kind : machine::kMachines)
      for (std::uint16_t shard = 0; shard < machine::shards_of(kind, kPartitions); ++shard)
        all.append(view_of(runtime::state_digest(**open_store(kind, shard, false))));
    hash = to_hex(view_of(proof::sha256(all)));
  }
  std::filesystem::remove_all(folder);
  const auto cpu = [](const rusage& usage) {
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  };
  std::printf(
      "{\"events\":%d,\"events_per_s\":%.0f,\"cpu_s_per_million\":%.2f,\"rss_peak_mib\":%ld,\"billing_records\":%llu,"
      "\"result_hash\":\"%s\"}\n",
      events, events / seconds, (cpu(after) - cpu(before)) * 1e6 / events, after.ru_maxrss / 1024,
      static_cast<unsigned long long>(lines), hash.c_str());
  return lines >= static_cast<std::uint64_t>(events) ? 0 : 1;
}
