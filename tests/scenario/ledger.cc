#include "tests/scenario/ledger.h"

#include <future>

#include "services/standalone/machines.h"
#include "shared/base/check.h"
#include "shared/proof/hash.h"
#include "shared/runtime/ledger.h"

namespace granary::scenario {
namespace {

// Of every scenario, so that recorded journals do not differ by it.
constexpr Id16 kLedger{0x5c, 0xe9, 0xa1, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

class Beginning final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return 0; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return 0; }
};

journal::Partition partition_of(Topic topic, std::uint16_t number) {
  return {std::string(machine::topic_name(topic)), number};
}

}  // namespace

Ledger::Ledger(const Options& options) : partitions_(options.partitions) {
  GRANARY_CHECK(runtime::open_ledger(journal_, {partitions_, kLedger}, Beginning()).ok(), "a ledger in memory opens");
  runtime::Options running;
  running.commit_events_max = options.commit_events_max;
  auto started = runtime::start_runtime(journal_, running, standalone::make_machine, states_, markers_.path(),
                                        [](const Error& error) { GRANARY_CHECK(false, error.message); });
  GRANARY_CHECK(started.ok(), "a runtime over an empty ledger starts");
  runtime_ = std::move(*started);
}

Ledger::~Ledger() {
  runtime_->stop();
}

std::uint64_t Ledger::append(const journal::Partition& partition, Bytes record) {
  std::vector<journal::Record> records(1);
  records.front().value = std::move(record);
  const auto at = journal::append_and_wait(journal_, partition, std::move(records));
  GRANARY_CHECK(at.ok(), "a journal in memory takes every record");
  return *at;
}

void Ledger::tick(units::Instant now) {
  now_ = now;
  // From the last inbox to the first: a fact that a tick sets free arrives after the tick of its receiver.
  for (const MachineKind kind :
       {MachineKind::billing, MachineKind::allocation, MachineKind::metering, MachineKind::intake})
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, partitions_); ++shard) {
      append(partition_of(machine::inbox_of(kind), shard), events::encode_record(kLedger, events::Tick{now}));
      settle();
    }
}

machine::Outcome Ledger::send(const std::string& source, const std::string& id, const events::Event& event) {
  events::Raw raw;
  raw.source = source;
  raw.id = id;
  // As a door does: an event that is its own root leaves `root` empty.
  if (const auto* interim = std::get_if<events::UsageInterim>(&event)) raw.root = interim->root;
  raw.time = raw.recorded_at = now_;
  raw.caller.kind = events::CallerKind::open;
  events::encode_event(event, raw.substance);
  const bool is_usage =
      std::holds_alternative<events::UsageReported>(event) || std::holds_alternative<events::UsageInterim>(event);
  const Topic topic = is_usage ? Topic::usage : Topic::applications;
  const bool is_root = raw.root.source.empty();
  const std::uint16_t shard =
      is_usage ? proof::shard_of({is_root ? source : raw.root.source, is_root ? id : raw.root.id}, partitions_) : 0;
  const std::uint64_t offset = append(partition_of(topic, shard), events::encode_record(kLedger, raw));
  const auto alive = std::make_shared<int>();
  std::promise<std::vector<std::optional<machine::Outcome>>> judged;
  runtime_->when_judged(topic, shard, {offset}, alive,
                        [&judged](auto outcomes) { judged.set_value(std::move(outcomes)); });
  const auto outcome = judged.get_future().get().front();
  GRANARY_CHECK(outcome.has_value(), "the newest record's outcome is known");
  settle();
  return *outcome;
}

void Ledger::ask_any(MachineKind kind, std::uint16_t shard, const Question& question) {
  std::promise<void> asked;
  runtime_->ask_owner(kind, shard, [&](machine::Machine& rules, const runtime::ShardStatus& status) {
    question(rules, status);
    asked.set_value();
  });
  asked.get_future().wait();
}

std::uint16_t Ledger::shard_of(const std::string& key) const {
  return proof::shard_of({key}, partitions_);
}

// Machines stand in the order of the flow: what one has sent has arrived when the next one is asked.
void Ledger::settle() {
  for (const MachineKind kind : machine::kMachines) {
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, partitions_); ++shard) {
      for (bool settled = false; !settled;) {
        ask_any(kind, shard, [&](machine::Machine&, const runtime::ShardStatus& now) {
          GRANARY_CHECK(now.parked.empty() && now.lane_alarms == 0, "no shard parks and no lane has a gap");
          settled = now.position == *journal_.end(partition_of(machine::inbox_of(kind), shard)) &&
                    now.committed == now.position && now.outbox_bytes == 0;
        });
      }
    }
  }
  if (on_settled) on_settled();
}

std::vector<journal::Record> Ledger::news(Topic outward) {
  std::vector<journal::Record> all;
  journal::ReadBatch batch;
  for (std::uint16_t number = 0; number < machine::partitions_of(outward, partitions_); ++number) {
    const journal::Partition partition = partition_of(outward, number);
    std::uint64_t& next = told_[partition];
    while (journal_.read(partition, next, 1U << 20, batch).ok() && !batch.records.empty()) {
      next += batch.records.size();
      all.insert(all.end(), batch.records.begin(), batch.records.end());
    }
  }
  return all;
}

std::string Ledger::inboxes() const {
  std::string text;
  journal::ReadBatch batch;
  for (const Topic topic : machine::kTopics) {
    for (std::uint16_t number = 0; machine::is_inbox(topic) && number < machine::partitions_of(topic, partitions_);
         ++number) {
      const journal::Partition partition = partition_of(topic, number);
      for (std::uint64_t next = 0; journal_.read(partition, next, 1U << 20, batch).ok() && !batch.records.empty();) {
        next += batch.records.size();
        for (const journal::Record& record : batch.records)
          text += partition.topic + " " + std::to_string(number) + " " + to_hex(record.value) + "\n";
      }
    }
  }
  return text;
}

}  // namespace granary::scenario
