#include "tests/bench/bench_ledger.h"

#include <pthread.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "services/standalone/machines.h"
#include "shared/events/record.h"
#include "shared/fold/fold.h"
#include "shared/journal/embedded_journal.h"
#include "shared/ledger/ledger.h"
#include "shared/proof/hash.h"
#include "shared/service/kafka_options.h"
#include "tests/bench/measuring.h"

namespace granary::bench {
namespace {

constexpr std::chrono::milliseconds kBetweenTicks{200};

using machine::MachineKind;
using machine::Topic;

class StandingClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return kNow.ms(); }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return 0; }
};

// Appends in large batches, several at once, and holds little.
class Appender {
 public:
  explicit Appender(journal::Journal& journal) : journal_(journal) {}

  void add(Topic topic, std::uint16_t partition, Bytes record) {
    Batch& batch = batches_[{topic, partition}];
    batch.bytes += record.size();
    batch.records.emplace_back().value = std::move(record);
    if (batch.bytes >= kBatchBytes) send({topic, partition}, batch);
  }

  // Waits for all of it.
  void finish() {
    for (auto& [place, batch] : batches_)
      if (!batch.records.empty()) send(place, batch);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return in_flight_ == 0; });
    if (!failed_.empty()) throw CannotMeasure(failed_);
  }

 private:
  static constexpr std::size_t kBatchBytes = 1U << 20;
  static constexpr std::size_t kInFlightMax = 16;
  using Where = std::pair<Topic, std::uint16_t>;
  struct Batch {
    std::vector<journal::Record> records;
    std::size_t bytes = 0;
  };

  void send(const Where& where, Batch& batch) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return in_flight_ < kInFlightMax; });
      ++in_flight_;
    }
    journal_.append({std::string(machine::topic_name(where.first)), where.second}, std::move(batch.records),
                    [this](const Result<journal::Offsets>& done) {
                      const std::lock_guard lock(mutex_);
                      if (!done.ok()) failed_ = done.error().message;
                      --in_flight_;
                      changed_.notify_all();
                    });
    batch = {};
  }

  journal::Journal& journal_;
  std::map<Where, Batch> batches_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t in_flight_ = 0;
  std::string failed_;
};

// Directories that are removed at the end, or by a signal.
struct Temporary {
  std::mutex mutex;
  std::set<std::string> folders;
};
Temporary& temporary() {
  static Temporary one;
  return one;
}

std::unique_ptr<journal::Journal> open_journal(const Arguments& arguments, const std::string& folder) {
  if (arguments.brokers.empty()) return must(journal::open_embedded_journal(folder + "/journal", {}));
  return must(journal::open_kafka_journal(must(service::kafka_options({arguments.brokers, {}, ""}))));
}

}  // namespace

const Clock& standing_clock() {
  static const StandingClock clock;
  return clock;
}

std::string hash_of(const std::vector<Hash32>& digests) {
  Bytes all;
  for (const Hash32& digest : digests) all.append(view_of(digest));
  return to_hex(view_of(proof::sha256(all)));
}

void remove_temporary_on_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    const std::lock_guard lock(temporary().mutex);
    // The machines write on meanwhile: a second time takes what came behind the first.
    for (int time = 0; time < 2; ++time)
      for (const std::string& folder : temporary().folders) {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
      }
    std::_Exit(128 + signal);
  }).detach();
}

std::vector<MachineKind> all_machines() {
  return {machine::kMachines.begin(), machine::kMachines.end()};
}

std::vector<MachineKind> machines_behind_metering() {
  return {MachineKind::intake, MachineKind::allocation, MachineKind::billing};
}

BenchLedger::BenchLedger(const Arguments& arguments)
    : folder_(arguments.data), keeps_folder_(!arguments.data.empty()), environment_(store::RocksOptions{}) {
  if (!keeps_folder_) {
    folder_ = (std::filesystem::temp_directory_path() / "granary-bench-XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) throw CannotMeasure("no directory can be made at " + folder_);
    const std::lock_guard lock(temporary().mutex);
    temporary().folders.insert(folder_);
  }
  std::filesystem::create_directories(folder_ + "/state");
  states_ = std::make_unique<store::RocksStates>(environment_, folder_ + "/state");
  own_journal_ = open_journal(arguments, folder_);
  journal_ = own_journal_.get();
  if (const auto stands = runtime::read_ledger(*journal_); stands.ok())
    throw CannotMeasure("expected no ledger, found one; hint: an empty --data, a broker of its own");
  must(runtime::open_ledger(*journal_, {kPartitions, kLedger}, standing_clock()));
}

BenchLedger::~BenchLedger() {
  if (runtime_) runtime_->stop();
  runtime_.reset();
  journal_wrap_.reset();
  own_journal_.reset();
  std::error_code ignored;
  if (!keeps_folder_) std::filesystem::remove_all(folder_, ignored);
}

std::string BenchLedger::state_of(MachineKind kind, std::uint16_t shard) const {
  return service::state_directory(folder_, kind, shard);
}

std::uint64_t BenchLedger::state_bytes(MachineKind kind) const {
  std::uint64_t bytes = 0;
  for (std::uint16_t shard = 0; shard < machine::shards_of(kind, kPartitions); ++shard)
    bytes += disk_bytes(state_of(kind, shard));
  return bytes;
}

void BenchLedger::wrap_journal(const std::function<std::unique_ptr<journal::Journal>(journal::Journal&)>& wrap) {
  journal_wrap_ = wrap(*own_journal_);
  journal_ = journal_wrap_.get();
}

void BenchLedger::append_ticks(units::Instant now) {
  Appender appender(*journal_);
  for (const MachineKind kind : machine::kMachines)
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, kPartitions); ++shard)
      appender.add(machine::inbox_of(kind), shard, events::encode_record(kLedger, events::Tick{now}));
  appender.finish();
}

void BenchLedger::set_up(std::uint64_t projects, const std::function<void()>& folded) {
  append_ticks();
  {
    Appender appender(*journal_);
    Progress progress("decisions appended", projects * 4);
    std::uint64_t count = 0;
    each_decision(projects, [&](Bytes record) {
      appender.add(Topic::applications, 0, std::move(record));
      progress.show(++count);
    });
    appender.finish();
  }
  const auto end = must(journal_->end({std::string(machine::topic_name(Topic::applications)), 0}));
  start();
  settle({{{Topic::applications, 0, end - 1}}});
  if (folded) folded();
  stop();
}

std::uint64_t BenchLedger::append_usage(const Jobs& jobs, std::uint64_t from, std::uint64_t to) {
  Appender appender(*journal_);
  Progress progress("usage appended", to - from);
  std::uint64_t fresh = 0;
  for (std::uint64_t place = from; place < to; ++place) {
    const std::uint64_t number = jobs.number_at(place);
    fresh += number == place ? 1 : 0;
    auto [partition, record] = jobs.record_of(number, kPartitions);
    appender.add(Topic::usage, partition, std::move(record));
    progress.show(place - from);
  }
  appender.finish();
  return fresh;
}

void BenchLedger::append(std::uint64_t count, const std::function<events::UsageReported(std::uint64_t number)>& usage) {
  Appender appender(*journal_);
  for (std::uint64_t number = 0; number < count; ++number) {
    const std::string source = Jobs::source_of(number);
    const std::string id = "w" + std::to_string(number);
    appender.add(Topic::usage, proof::shard_of({source, id}, kPartitions), raw_record(usage(number), source, id));
  }
  appender.finish();
}

runtime::Token BenchLedger::decide(const std::vector<events::Event>& decisions) {
  std::vector<journal::Record> records;
  for (const events::Event& event : decisions)
    records.push_back({raw_record(event, "urn:bench", "later" + std::to_string(++decided_)), {}, {}});
  const std::uint64_t last = records.size() - 1;
  const auto first = must(journal::append_and_wait(
      *journal_, {std::string(machine::topic_name(Topic::applications)), 0}, std::move(records)));
  return {{{Topic::applications, 0, first + last}}};
}

void BenchLedger::complete(MachineKind kind, units::Instant at) {
  const auto is_complete = [&] {
    for (const runtime::ShardStatus& shard : runtime_->status())
      if (shard.machine == kind && shard.complete < at) return false;
    return true;
  };
  // A shard passes on how far it is with the tick after it has heard it, so more than one is needed.
  for (units::Instant now = at; !is_complete(); now = now.plus_ms(units::kHourMs)) {
    append_ticks(now);
    std::this_thread::sleep_for(kBetweenTicks);
  }
}

runtime::Token BenchLedger::all_usage() const {
  runtime::Token token;
  for (std::uint16_t partition = 0; partition < kPartitions; ++partition) {
    const auto end = must(journal_->end({std::string(machine::topic_name(Topic::usage)), partition}));
    token.places.push_back({Topic::usage, partition, end - 1});
  }
  return token;
}

void BenchLedger::start() {
  runtime_ = must(runtime::start_runtime(*journal_, {}, standalone::make_machine, *states_, folder_ + "/state",
                                         [](const Error& error) {
                                           std::fprintf(stderr, "granary-bench: %s\n", error.message.c_str());
                                           std::_Exit(3);  // nothing can be measured any more, and machines run
                                         }));
}

void BenchLedger::stop() {
  runtime_->stop();
  runtime_.reset();
}

void BenchLedger::settle(const runtime::Token& token) {
  const auto alive = std::make_shared<int>(0);
  // Shared with the callbacks: what one of them has just set must not go while it is still at it.
  struct Wait {
    std::promise<void> folded, asked, published;
    std::uint64_t position = 0;
  };
  std::vector<std::shared_ptr<Wait>> waits;
  for (std::uint16_t shard = 0; shard < kPartitions; ++shard) waits.push_back(std::make_shared<Wait>());
  const auto left = [this] {
    std::uint64_t records = 0;
    for (const runtime::ShardStatus& shard : runtime_->status())
      records += shard.end > shard.position ? shard.end - shard.position : 0;
    return records;
  };
  const std::uint64_t at_first = left();
  Progress progress("folded", at_first);
  const auto wait = [&](std::promise<void>& promise) {
    const auto future = promise.get_future();
    while (future.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready)
      progress.show(at_first - std::min(at_first, left()));
  };
  for (std::uint16_t shard = 0; shard < kPartitions; ++shard)
    runtime_->when_folded(token, MachineKind::billing, shard, alive,
                          [one = waits[shard]](runtime::Runtime::Folded) { one->folded.set_value(); });
  for (std::uint16_t shard = 0; shard < kPartitions; ++shard) {
    const auto& one = waits[shard];
    wait(one->folded);
    runtime_->ask_owner(MachineKind::billing, shard, [one](machine::Machine&, const runtime::ShardStatus& status) {
      one->position = status.position;
      one->asked.set_value();
    });
    one->asked.get_future().wait();
    runtime_->when_met({MachineKind::billing, shard}, {one->position, {}, true}, alive,
                       [one](const auto&) { one->published.set_value(); });
  }
  for (const auto& one : waits) wait(one->published);
}

std::string BenchLedger::result_hash(const std::vector<MachineKind>& machines) {
  std::vector<Hash32> digests;
  for (const MachineKind kind : machines)
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, kPartitions); ++shard)
      digests.push_back(runtime::state_digest(*must(store::open_rocks_store(environment_, state_of(kind, shard)))));
  return hash_of(digests);
}

}  // namespace granary::bench
