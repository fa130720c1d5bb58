#include "tests/scenario/ledger.h"

#include "services/standalone/machines.h"
#include "shared/base/check.h"
#include "shared/journal/memory_journal.h"
#include "shared/ledger/ledger.h"
#include "shared/proof/hash.h"

namespace granary::scenario {
namespace {

// Of every scenario, so that recorded journals do not differ by it.
constexpr Id16 kLedger{0x5c, 0xe9, 0xa1, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

// After this it is asked why there is no answer yet.
constexpr auto kPatience = std::chrono::seconds(10);

class Beginning final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return 0; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return 0; }
};

journal::Partition partition_of(Topic topic, std::uint16_t number) {
  return {std::string(machine::topic_name(topic)), number};
}

}  // namespace

Ledger::Ledger(const Options& options) : options_(options), partitions_(options.partitions) {
  for (const MachineKind kind : machine::kMachines)
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, partitions_); ++shard)
      shards_.emplace_back(kind, shard);
  if (!options_.open_journal)
    options_.open_journal = [log = std::make_shared<journal::MemoryJournal>()] { return log; };
  if (!options_.states) options_.states = memory_ = std::make_shared<store::MemoryStates>();
  const auto made = runtime::open_ledger(*options_.open_journal(), {partitions_, kLedger}, Beginning());
  GRANARY_CHECK(made.ok(), made.error().message);
  start();
}

Ledger::~Ledger() {
  stop();
}

void Ledger::start() {
  journal_ = options_.open_journal();
  runtime::Options running;
  running.commit_events_max = options_.commit_events_max;
  running.step_bytes = options_.step_bytes;
  running.checkpoint_records = options_.checkpoint_records;
  // No commit waits for a time to pass.
  running.commit_pause = std::chrono::milliseconds(0);
  running.commit_age_max = std::chrono::hours(24);
  auto started = runtime::start_runtime(*journal_, running, standalone::make_machine, *options_.states, markers_.path(),
                                        [](const Error& error) { GRANARY_CHECK(false, error.message); });
  GRANARY_CHECK(started.ok(), started.error().message);
  runtime_ = std::move(*started);
  settle();
}

void Ledger::stop() {
  if (!runtime_) return;
  check_shards();
  runtime_->stop();
  runtime_.reset();
  journal_.reset();
  known_.clear();
}

void Ledger::delete_state(const ShardName& shard) {
  const auto dropped = options_.states->drop(runtime::name_of(shard));
  GRANARY_CHECK(dropped.ok(), dropped.error().message);
}

void Ledger::with_state(const ShardName& shard, const std::function<void(store::Store&)>& use) {
  const auto opened = options_.states->open(runtime::name_of(shard));
  GRANARY_CHECK(opened.ok(), opened.error().message);
  use(**opened);
}

std::uint64_t Ledger::append(const journal::Partition& partition, Bytes record) {
  std::vector<journal::Record> records(1);
  records.front().value = std::move(record);
  const auto at = journal::append_and_wait(*journal_, partition, std::move(records));
  GRANARY_CHECK(at.ok(), at.error().message);
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
  const auto outcome = wait(judged).front();
  GRANARY_CHECK(outcome.has_value(), "the newest record's outcome is known");
  settle();
  return *outcome;
}

void Ledger::ask_any(const ShardName& shard, const Question& question) {
  std::promise<void> asked;
  runtime_->ask_owner(shard.first, shard.second, [&](machine::Machine& rules, const runtime::ShardStatus& status) {
    question(rules, status);
    asked.set_value();
  });
  asked.get_future().wait();
}

std::uint16_t Ledger::shard_of(const std::string& key) const {
  return proof::shard_of({key}, partitions_);
}

// An answer comes for certain unless a shard is parked or a lane has a gap: then that is said, not waited for.
template <class Answer>
Answer Ledger::wait(std::promise<Answer>& promise) {
  auto answer = promise.get_future();
  while (answer.wait_for(kPatience) != std::future_status::ready) check_shards();
  return answer.get();
}

void Ledger::check_shards() {
  for (const ShardName& shard : shards_) {
    ask_any(shard, [](machine::Machine&, const runtime::ShardStatus& now) {
      GRANARY_CHECK(now.parked.empty(), now.parked);
      GRANARY_CHECK(now.lane_alarms == 0, "a lane has a gap");
    });
  }
}

// Shards stand in the order of the flow: what one has sent is known when the next one is waited for.
void Ledger::settle() {
  for (const ShardName& shard : shards_) settle(shard);
}

void Ledger::settle(const ShardName& shard) {
  Known& known = known_[shard];
  const auto end = journal_->end(partition_of(machine::inbox_of(shard.first), shard.second));
  GRANARY_CHECK(end.ok(), end.error().message);
  if (known.position == *end && known.due.empty()) return;
  runtime::Needs needs;
  needs.position = known.position = *end;
  needs.lanes = std::exchange(known.due, {});
  needs.published = needs.committed = true;
  const auto alive = std::make_shared<int>();
  std::promise<std::optional<std::vector<runtime::LaneNumber>>> met;
  runtime_->when_met(shard, needs, alive, [&met](auto numbers) { met.set_value(std::move(numbers)); });
  const auto numbers = wait(met);
  GRANARY_CHECK(numbers.has_value(), "an inbox ends before its end");
  for (const runtime::LaneNumber& lane : *numbers) {
    Known& reader = known_[{machine::reader_of(lane.topic), lane.partition}];
    if (std::exchange(reader.lanes[shard], lane.number) != lane.number) reader.due[shard] = lane.number;
  }
  if (on_settled) on_settled();
}

std::vector<journal::Record> Ledger::news(Topic outward) {
  std::vector<journal::Record> all;
  journal::ReadBatch batch;
  for (std::uint16_t number = 0; number < machine::partitions_of(outward, partitions_); ++number) {
    const journal::Partition partition = partition_of(outward, number);
    const auto end = journal_->end(partition);
    GRANARY_CHECK(end.ok(), end.error().message);
    for (std::uint64_t& next = told_[partition]; next < *end;) {
      const auto read = journal_->read(partition, next, 1U << 20, batch);
      GRANARY_CHECK(read.ok(), read.error().message);
      next += batch.records.size();
      all.insert(all.end(), batch.records.begin(), batch.records.end());
    }
  }
  return all;
}

const store::View& Ledger::rows(MachineKind kind, std::uint16_t shard) const {
  GRANARY_CHECK(memory_ != nullptr, "the states lie elsewhere");
  return memory_->state(runtime::name_of({kind, shard}));
}

std::string Ledger::inboxes() const {
  std::string text;
  journal::ReadBatch batch;
  for (const Topic topic : machine::kTopics) {
    for (std::uint16_t number = 0; machine::is_inbox(topic) && number < machine::partitions_of(topic, partitions_);
         ++number) {
      const journal::Partition partition = partition_of(topic, number);
      for (std::uint64_t next = 0; journal_->read(partition, next, 1U << 20, batch).ok() && !batch.records.empty();) {
        next += batch.records.size();
        for (const journal::Record& record : batch.records)
          text += partition.topic + " " + std::to_string(number) + " " + to_hex(record.value) + "\n";
      }
    }
  }
  return text;
}

}  // namespace granary::scenario
