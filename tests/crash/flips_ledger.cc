#include "tests/crash/flips_ledger.h"

#include <rocksdb/db.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <vector>

#include "services/allocation/core/machine.h"
#include "services/billing/core/machine.h"
#include "services/standalone/machines.h"
#include "shared/base/clock.h"
#include "shared/events/record.h"
#include "shared/journal/embedded_journal.h"
#include "shared/journal/embedded_rows.h"
#include "shared/ledger/ledger.h"
#include "shared/proof/hash.h"
#include "shared/runtime/replay.h"
#include "shared/runtime/runtime.h"
#include "shared/store/memory_store.h"
#include "shared/store/rocks_states.h"
#include "shared/telemetry/log.h"

namespace granary::test {
namespace {

constexpr Id16 kLedger{0xf1, 0x1b, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

using machine::MachineKind;
using machine::Topic;
using units::Instant;

constexpr std::uint16_t kPartitions = 2;
constexpr std::int64_t kStart = 1'790'000'000'000;
constexpr int kProjects = 12;
constexpr int kUsages = 360;
constexpr int kMoreUsages = 24;
constexpr std::int64_t kSettleMs = 20'000;

[[noreturn]] void end(int code, const std::string& why = {}) {
  if (!why.empty()) std::fprintf(stderr, "%s\n", why.c_str());
  std::fflush(stderr);
  _exit(code);
}

journal::Partition partition(Topic topic, std::uint16_t number) {
  return {std::string(machine::topic_name(topic)), number};
}

std::string project(int n) {
  return "p" + std::to_string(n % kProjects);
}

Bytes raw_record(const events::Event& event, std::string id) {
  events::Raw raw;
  raw.source = "flips";
  raw.id = std::move(id);
  raw.time = raw.recorded_at = Instant(kStart);
  raw.caller.kind = events::CallerKind::open;
  events::encode_event(event, raw.substance);
  return events::encode_record(kLedger, raw);
}

// Classes, two price books, and per project an organisation with two lots, the first of which runs out. One project has
// no grant.
std::vector<Bytes> decisions() {
  std::vector<Bytes> out;
  const auto add = [&out](const events::Event& event) {
    out.push_back(raw_record(event, "d" + std::to_string(out.size())));
  };
  events::PolicyPublished classes{events::PolicyKind::resource_classes, "1", Instant(), {}};
  classes.content.classes = {{"gpu", events::UnitKind::resource_us, events::Charging::lots}};
  add(classes);
  add(events::PriceBookPublished{
      "s", "1", Instant(), "EUR", {{"gpu", units::Price(2'500'000'000), "resource-hour", {}, {}}}, {}});
  add(events::PriceBookPublished{"s",
                                 "2",
                                 Instant(kStart - 5 * units::kDayMs),
                                 "EUR",
                                 {{"gpu", units::Price(3'100'000'000), "resource-hour", {}, {}}},
                                 {}});
  for (int p = 0; p < kProjects; ++p) {
    const std::string n = std::to_string(p);
    add(events::OrganisationRegistered{"o" + n, "O", events::CustomerKind::startup, "FI", "", {}});
    add(events::ProjectRegistered{"p" + n, "o" + n, "", {}});
    if (p == 0) continue;
    events::ApplicationSubmitted application{
        "a" + n, "p" + n, "trial", "", {{"gpu", units::Quantity(1000), "resource-hour"}}, {}, {}, {}};
    application.period_to = Instant(kStart);
    add(application);
    add(events::ScreeningDecided{"a" + n, "", "trial", "", events::ScreeningOutcome::cleared, ""});
    events::GrantAwarded grant{"m", "", "s", "", "trial", "FI", {events::FundingKind::covered, {}}, {}};
    for (const int quantity : {20, 500'000})
      grant.lots.push_back({"gpu", units::Quantity(quantity), "resource-hour", Instant(kStart - 40 * units::kDayMs),
                            Instant(kStart + 40 * units::kDayMs), 0});
    add(events::ApplicationDecided{"a" + n, "p" + n, events::DecisionOutcome::awarded, "", grant});
  }
  return out;
}

class Process {
 public:
  explicit Process(const std::string& data) : data_(data) {
    journal::EmbeddedOptions log;
    log.reserve_bytes = 0;
    log.write_buffer_bytes = 64 << 10;
    log.cache_bytes = 1 << 20;
    auto opened = journal::open_embedded_journal(data + "/journal", log);
    if (!opened.ok()) end(kRefused, opened.error().message);
    journal = std::move(*opened);
    if (const auto ledger = runtime::open_ledger(*journal, {kPartitions, kLedger}, system_clock()); !ledger.ok())
      end(kRefused, ledger.error().message);
    runtime::Options options;
    options.checkpoint_records = 20;
    std::filesystem::create_directories(data + "/state");
    auto started = runtime::start_runtime(*journal, options, standalone::make_machine, states, data + "/state",
                                          [](const Error& error) { end(kRefused, error.message); });
    if (!started.ok()) end(kRefused, started.error().message);
    runtime = std::move(*started);
  }

  // Runs on the owner's thread.
  void ask(MachineKind kind, std::uint16_t shard,
           const std::function<void(machine::Machine&, const runtime::ShardStatus&)>& question) const {
    std::promise<void> asked;
    runtime->ask_owner(kind, shard, [&](machine::Machine& rules, const runtime::ShardStatus& status) {
      question(rules, status);
      asked.set_value();
    });
    asked.get_future().wait();
  }

  template <class Visit>
  static void each_shard(const Visit& visit) {
    for (const MachineKind kind : machine::kMachines)
      for (std::uint16_t shard = 0; shard < machine::shards_of(kind, kPartitions); ++shard) visit(kind, shard);
  }

  void append(const journal::Partition& to, std::vector<Bytes> values) const {
    std::vector<journal::Record> records(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) records[i].value = std::move(values[i]);
    if (const auto done = append_and_wait(*journal, to, std::move(records)); !done.ok())
      end(kRefused, done.error().message);
  }

  void usages(int from, int to) const {
    std::vector<Bytes> values[kPartitions];
    for (int i = from; i < to; ++i) {
      events::UsageReported job;
      job.project = project(i);
      job.resources = {{"gpu", units::Quantity(1000 + i % 7 * 500), {}, ""}};
      job.start = Instant(kStart - (i % 400 + 30) * units::kHourMs);
      job.end = job.start.plus_ms(units::kMinuteMs * (30 + i % 50));
      const std::string id = "job-" + std::to_string(i);
      auto& shard = values[proof::shard_of({"flips", id}, kPartitions)];
      shard.push_back(raw_record(job, id));
      if (i % 40 != 0) continue;
      job.end = job.end.plus_ms(1);
      shard.push_back(raw_record(job, id));  // refused: another substance under the same id
    }
    for (std::uint16_t shard = 0; shard < kPartitions; ++shard)
      if (!values[shard].empty()) append(partition(Topic::usage, shard), std::move(values[shard]));
  }

  void tick(std::int64_t ms) const {
    each_shard([&](MachineKind kind, std::uint16_t shard) {
      append(partition(machine::inbox_of(kind), shard), {events::encode_record(kLedger, events::Tick{Instant(ms)})});
    });
  }

  // Until all is folded and all that came of it is acknowledged.
  void settle() const {
    const std::int64_t limit = system_clock().monotonic_ms() + kSettleMs;
    each_shard([&](MachineKind kind, std::uint16_t shard) {
      for (bool settled = false; !settled;) {
        if (system_clock().monotonic_ms() > limit) end(kUnsettled, "the shards do not come to rest");
        ask(kind, shard, [&](machine::Machine&, const runtime::ShardStatus& now) {
          if (!now.parked.empty()) end(kParked, now.parked);
          const auto inbox = journal->end(partition(machine::inbox_of(kind), shard));
          if (!inbox.ok()) end(kRefused, inbox.error().message);
          settled = now.position == *inbox && now.committed == now.position && now.outbox_bytes == 0;
        });
      }
    });
  }

  void stop() {
    runtime->stop();  // commits
    runtime.reset();
    journal.reset();
  }

 private:
  std::string data_;

 public:
  std::unique_ptr<journal::Journal> journal;
  store::RocksEnvironment environment{store::RocksOptions{1 << 20, 512 << 10, 0}};
  store::RocksStates states{environment, data_ + "/state"};
  std::unique_ptr<runtime::Runtime> runtime;
};

bool is_inbox(const std::string& topic) {
  for (const MachineKind kind : machine::kMachines)
    if (machine::topic_name(machine::inbox_of(kind)) == topic) return true;
  return false;
}

// How many records stand in each partition.
using Ends = std::map<journal::Partition, std::uint64_t>;

Ends ends_of(const journal::Journal& journal) {
  Ends ends;
  const auto topics = journal.topics();
  if (!topics.ok()) end(kRefused, topics.error().message);
  for (const auto& topic : *topics)
    for (std::uint16_t number = 0; number < topic.partitions; ++number)
      ends[{topic.name, number}] = *journal.end({topic.name, number});
  return ends;
}

void write_ends(const Ends& ends, const std::string& path) {
  std::ofstream file(path);
  for (const auto& [partition, size] : ends) file << partition.topic << ' ' << partition.number << ' ' << size << '\n';
}

Ends read_ends(const std::string& path) {
  Ends ends;
  std::ifstream file(path);
  journal::Partition partition;
  std::uint64_t size = 0;
  while (file >> partition.topic >> partition.number >> size) ends[partition] = size;
  return ends;
}

// Number and hash of the records of a partition: of an inbox the first `stood`, as a writer may send again what its
// reader drops; of an outward stream all.
void tell_partition(const journal::Journal& journal, const journal::Partition& partition, std::uint64_t stood,
                    std::ostream& out) {
  const bool all = !is_inbox(partition.topic);
  proof::Hasher hasher;
  hasher.start();
  std::uint64_t count = 0;
  journal::ReadBatch batch;
  while (all || count < stood) {
    const auto read = journal.read(partition, count, 1U << 20, batch);
    if (!read.ok()) end(kRefused, read.error().message);
    if (batch.records.empty()) break;
    for (const journal::Record& record : batch.records) {
      if (!all && count == stood) break;
      ++count;
      Bytes parts;
      append_part(parts, record.key);
      append_part(parts, record.value);
      for (const auto& [name, value] : record.headers) {
        append_part(parts, name);
        append_part(parts, value);
      }
      hasher.add(parts);
    }
  }
  out << partition.topic << '/' << partition.number << ' ' << count << ' ' << to_hex(view_of(hasher.finish())) << '\n';
}

// Balances and sums, as the doors ask for them.
void tell_books(const Process& process, std::ostream& out) {
  for (std::uint16_t shard = 0; shard < kPartitions; ++shard) {
    process.ask(MachineKind::allocation, shard, [&](machine::Machine& rules, const runtime::ShardStatus&) {
      auto& books = static_cast<allocation::AllocationMachine&>(rules);
      for (const auto& row : books.projects({}, 1000, {}).rows)
        for (const auto& balance : row.classes)
          out << "balance " << row.project << ' ' << balance.class_name << " granted "
              << units::format_integer(balance.granted.value()) << " used "
              << units::format_integer(balance.used.value()) << " available "
              << units::format_integer(balance.available.value()) << " uncovered "
              << units::format_integer(balance.uncovered.value()) << '\n';
      for (const auto& total : books.usage({}, 1000).rows)
        out << "usage " << total.project << ' ' << total.records << ' ' << units::format_integer(total.quantity.value())
            << '\n';
    });
  }
  for (std::uint16_t shard = 0; shard < kPartitions; ++shard) {
    process.ask(MachineKind::billing, shard, [&](machine::Machine& rules, const runtime::ShardStatus&) {
      static_cast<billing::BillingMachine&>(rules).charges({}, [&](BytesView, const billing::ChargesLine& line) {
        Bytes sums;
        codec::encode(line.sums, sums);
        out << "charges " << line.organisation << ' ' << line.project << ' ' << line.resource << ' ' << line.period
            << ' ' << line.currency << ' ' << to_hex(sums) << '\n';
        return true;
      });
    });
  }
}

void tell_streams(const Process& process, const Ends& stood, std::ostream& out) {
  for (const auto& [partition, size] : stood)
    if (partition.topic != machine::topic_name(Topic::checkpoints))
      tell_partition(*process.journal, partition, size, out);
}

// Whether the rows are what the inboxes come to in empty stores. The runtime has stopped.
void tell_digests(const Process& process, const std::string& data, std::ostream& out) {
  Process::each_shard([&](MachineKind kind, std::uint16_t shard) {
    const auto rows = store::open_rocks_store(process.environment, service::state_directory(data, kind, shard));
    if (!rows.ok()) end(kRefused, rows.error().message);
    const auto stands = runtime::stored_digest(**rows, kind, shard);
    store::MemoryStore scratch;
    const auto again = runtime::replay_shard(*process.journal, {kLedger, kPartitions, 1}, kind, shard, stands.position,
                                             standalone::make_machine(kind, shard), scratch, 1000, [](std::size_t) {});
    if (!again.ok()) end(kRefused, again.error().message);
    out << "rows of " << machine::machine_name(kind) << '-' << shard << ": "
        << (*again == stands ? "as folded" : runtime::first_difference(scratch, **rows)) << '\n';
  });
}

}  // namespace

void build_ledger(const std::string& data) {
  telemetry::start(telemetry::Format::text);
  std::filesystem::create_directories(data);
  {
    Process process(data);
    process.append(partition(Topic::applications, 0), decisions());
    process.settle();
    for (int i = 0; i < kUsages / 2; i += 12) {
      process.usages(i, i + 12);
      process.settle();
    }
    process.tick(kStart);
    process.settle();
    process.stop();
  }
  Process process(data);
  for (int i = kUsages / 2; i < kUsages; i += 12) {
    process.usages(i, i + 12);
    process.settle();
  }
  process.tick(kStart + units::kHourMs);
  process.settle();
  write_ends(ends_of(*process.journal), data + "/ends");
  process.stop();
  end(kSaid);
}

void live(const std::string& data, const std::string& says) {
  telemetry::start(telemetry::Format::text);
  const Ends stood = read_ends(data + "/ends");
  std::ofstream out(says);
  Process process(data);
  process.settle();
  tell_books(process, out);
  tell_streams(process, stood, out);
  process.usages(kUsages, kUsages + kMoreUsages);
  process.settle();
  out << "more\n";
  tell_books(process, out);
  process.runtime->stop();
  process.runtime.reset();
  tell_digests(process, data, out);
  out.close();
  end(kSaid);
}

void rewrite_checkpoint(const std::string& data, unsigned long long number) {
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(rocksdb::Options(), data + "/journal/log", &opened);
  if (!status.ok()) end(kRefused, status.ToString());
  const std::unique_ptr<rocksdb::DB> rows(opened);
  std::string topic;
  rows->Get({}, journal::topic_key_prefix() + std::string(machine::topic_name(Topic::checkpoints)), &topic);
  const auto row = journal::decode_topic(topic);
  if (!row) end(kRefused, "no topic of checkpoints");
  // The newest of each partition, as they are asked for first.
  std::map<std::string, std::pair<std::string, std::string>> newest;
  const std::unique_ptr<rocksdb::Iterator> at(rows->NewIterator({}));
  const auto first = journal::record_key(row->id, 0, 0);
  for (at->Seek({first.data(), first.size()});
       at->Valid() && at->key().ToStringView().substr(0, 2) == journal::view_of(first).substr(0, 2); at->Next())
    newest[at->key().ToString().substr(2, 2)] = {at->key().ToString(), at->value().ToString()};
  if (newest.empty()) end(kRefused, "no checkpoint stands");
  auto& [key, value] = std::next(newest.begin(), static_cast<long>(number % newest.size()))->second;
  const std::size_t bit = number / newest.size() % ((value.size() - 1) * 8);
  value[1 + bit / 8] = static_cast<char>(value[1 + bit / 8] ^ (1 << bit % 8));  // behind the row's flag
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (!rows->Put(synced, key, value).ok()) end(kRefused, "cannot write");
  end(0);
}

}  // namespace granary::test
