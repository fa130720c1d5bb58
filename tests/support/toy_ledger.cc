#include "tests/support/toy_ledger.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>

#include "shared/base/clock.h"
#include "shared/fold/outward.h"
#include "shared/json/strict_json.h"
#include "shared/ledger/ledger.h"
#include "shared/proof/hash.h"

namespace granary::test {

using machine::MachineKind;
using machine::Topic;
using std::chrono::steady_clock;

namespace {

constexpr auto kLimit = std::chrono::seconds(30);

class FixedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return 1'790'000'000'000; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return 0; }
};

}  // namespace

struct ToyLedger::Fatal {
  std::mutex mutex;
  std::condition_variable told;
  std::vector<Error> errors;
};

ToyLedger::ToyLedger(std::uint16_t partitions) : partitions_(partitions), fatal_(std::make_shared<Fatal>()) {
  EXPECT_TRUE(runtime::open_ledger(journal, {partitions, kTestLedger}, FixedClock()).ok());
}

ToyLedger::~ToyLedger() {
  stop();
}

Result<void> ToyLedger::start() {
  auto started = runtime::start_runtime(
      *door, options,
      [added = added, rows = rows](MachineKind kind, std::uint16_t shard) {
        const auto found = added.find({kind, shard});
        return std::make_unique<ToyMachine>(kind, found == added.end() ? 0 : found->second, rows);
      },
      states, markers,
      [fatal = fatal_](const Error& error) {
        const std::lock_guard lock(fatal->mutex);
        fatal->errors.push_back(error);
        fatal->told.notify_all();
      });
  if (!started.ok()) return started.error();
  runtime = std::move(*started);
  return {};
}

void ToyLedger::stop() {
  if (runtime) runtime->stop();
  runtime.reset();
}

void ToyLedger::crash(const std::function<std::size_t(Shard)>& commits) {
  stop();
  journal.crash();
  for (const Shard& shard : shards()) store(shard).power_cut(commits(shard));
}

std::map<Shard, int> ToyLedger::wiped() const {
  std::map<Shard, int> counts;
  const auto dropped = states.dropped();
  for (const Shard& shard : shards())
    if (const auto found = dropped.find(runtime::name_of(shard)); found != dropped.end()) counts[shard] = found->second;
  return counts;
}

runtime::Place ToyLedger::append(Topic topic, std::uint16_t number, Bytes record) {
  std::vector<journal::Record> records(1);
  records.front().value = std::move(record);
  const auto done = journal::append_and_wait(journal, partition(topic, number), std::move(records));
  EXPECT_TRUE(done.ok());
  return {topic, number, done.ok() ? *done : 0};
}

runtime::Place ToyLedger::usage(const std::string& id, const std::string& project, std::int64_t amount) {
  if (amount == 0) amount = 1;  // nothing used is no usage
  if (project != "nobody") usages_.emplace(id, std::pair(organisation_of(project), amount));
  return append(Topic::usage, toy_shard(id, partitions_), toy_usage(id, project, amount));
}

void ToyLedger::tick(std::int64_t ms) {
  for (const auto& [kind, shard] : shards()) {
    std::vector<journal::Record> records(1);
    records.front().value = toy_tick(ms);
    journal.append(partition(machine::inbox_of(kind), shard), std::move(records), [](Result<journal::Offsets>) {});
  }
}

std::vector<Shard> ToyLedger::shards() const {
  std::vector<Shard> all;
  for (const MachineKind kind : machine::kMachines)
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, partitions_); ++shard) all.emplace_back(kind, shard);
  return all;
}

void ToyLedger::ask(const Shard& shard, const std::function<void(ToyMachine&, const runtime::ShardStatus&)>& question) {
  std::promise<void> asked;
  runtime->ask_owner(shard.first, shard.second, [&](machine::Machine& rules, const runtime::ShardStatus& status) {
    question(static_cast<ToyMachine&>(rules), status);
    asked.set_value();
  });
  asked.get_future().wait();
}

runtime::ShardStatus ToyLedger::status(const Shard& shard) {
  runtime::ShardStatus got;
  ask(shard, [&got](ToyMachine&, const runtime::ShardStatus& status) { got = status; });
  return got;
}

// Machines stand in the order of the flow: what one has sent before it was asked has arrived when the next one is.
bool ToyLedger::settle() {
  const auto limit = steady_clock::now() + kLimit;
  for (const Shard& shard : shards()) {
    while (true) {
      const auto now = status(shard);
      const auto end = journal.end(partition(machine::inbox_of(shard.first), shard.second));
      const bool folded = !now.parked.empty() || (now.position == *end && now.committed == now.position);
      if (folded && (now.outbox_bytes == 0 || !now.parked.empty())) break;
      if (steady_clock::now() > limit) return false;
    }
  }
  return true;
}

bool ToyLedger::wait_fatal(Error& error) {
  std::unique_lock lock(fatal_->mutex);
  if (!fatal_->told.wait_for(lock, kLimit, [this] { return !fatal_->errors.empty(); })) return false;
  error = fatal_->errors.front();
  return true;
}

std::size_t ToyLedger::fatal_calls() const {
  const std::lock_guard lock(fatal_->mutex);
  return fatal_->errors.size();
}

std::vector<journal::Record> ToyLedger::records(const journal::Partition& partition) const {
  std::vector<journal::Record> all;
  journal::ReadBatch batch;
  while (journal.read(partition, all.size(), 1U << 20, batch).ok() && !batch.records.empty())
    all.insert(all.end(), batch.records.begin(), batch.records.end());
  return all;
}

std::map<Shard, std::string> ToyLedger::digests() {
  std::map<Shard, std::string> all;
  for (const Shard& shard : shards()) all[shard] = to_hex(view_of(runtime::state_digest(store(shard))));
  return all;
}

void ToyLedger::check() {
  std::map<std::string, ToySum> expected;
  for (const auto& [id, usage] : usages_) {
    ToySum& sum = expected[usage.first];
    ++sum.events;
    sum.amount += units::Amount(usage.second);
  }
  for (const auto& [organisation, sum] : expected) {
    ToySum got;
    ask({MachineKind::billing, proof::shard_of({organisation}, partitions_)},
        [&](ToyMachine& toy, const runtime::ShardStatus&) { got = toy.sum(organisation); });
    EXPECT_EQ(got.events, sum.events) << organisation;
    EXPECT_EQ(got.amount, sum.amount) << organisation;
  }
  check_outward();
  std::map<std::string, ToySum> told;
  std::set<std::string> ids;
  for (std::uint16_t number = 0; number < partitions_; ++number) {
    for (const auto& record : records(partition(Topic::billing, number))) {
      const auto line = json::parse(record.value);
      ASSERT_TRUE(line.ok()) << record.value;
      EXPECT_TRUE(ids.insert(line->find("root")->find("id")->string()).second) << record.value;
      ToySum& sum = told[line->find("organisation")->string()];
      ++sum.events;
      sum.amount += units::Amount(*units::parse_integer(line->find("amount")->string()));
    }
  }
  EXPECT_EQ(ids.size(), usages_.size());
  EXPECT_EQ(told, expected);
}

void ToyLedger::check_outward() const {
  for (const Topic topic : {Topic::billing, Topic::notices, Topic::rejected}) {
    for (std::uint16_t number = 0; number < machine::partitions_of(topic, partitions_); ++number) {
      std::uint64_t next = 1;
      for (const auto& record : records(partition(topic, number)))
        EXPECT_EQ(runtime::header(record, "ce_id"), std::to_string(number) + "-" + std::to_string(next++));
    }
  }
}

}  // namespace granary::test
