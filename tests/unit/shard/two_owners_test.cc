// Two owners of one shard over one log: of builds that agree nothing shows but dropped repeats; of builds that
// disagree, the one that is behind is an alarm, and never a second truth.
#include <gtest/gtest.h>

#include <deque>
#include <mutex>

#include "shared/fold/outward.h"
#include "shared/fold/packet.h"
#include "shared/json/strict_json.h"
#include "shared/proof/hash.h"
#include "tests/support/forwarding_journal.h"
#include "tests/support/toy_ledger.h"

namespace granary::test {
namespace {

using machine::MachineKind;
using machine::Topic;

// One owner's way to the log. While a topic is held, what the owner appends to it is under way and arrives nowhere;
// released, it arrives behind what others have written meanwhile.
class OwnersDoor final : public testing_support::ForwardingJournal {
 public:
  enum class Hears { growth, nothing };
  explicit OwnersDoor(journal::MemoryJournal& log, Hears hears = Hears::growth)
      : ForwardingJournal(log), hears_(hears) {}

  void hold(Topic topic) {
    const std::lock_guard lock(mutex_);
    holding_ = machine::topic_name(topic);
  }
  void release() {
    const std::lock_guard lock(mutex_);
    holding_.clear();
    for (auto& one : held_) behind().append(one.partition, std::move(one.records), std::move(one.done));
    held_.clear();
  }
  // The owner has died: what was under way never arrives.
  void forget() {
    const std::lock_guard lock(mutex_);
    holding_.clear();
    held_.clear();
  }

  void append(const journal::Partition& partition, std::vector<journal::Record> records, AppendDone done) override {
    const std::lock_guard lock(mutex_);
    if (partition.topic == holding_)
      held_.push_back({partition, std::move(records), std::move(done)});
    else
      behind().append(partition, std::move(records), std::move(done));
  }
  void set_listener(Listener listener) override {
    if (hears_ == Hears::growth) behind().set_listener(std::move(listener));
  }

 private:
  struct Append {
    journal::Partition partition;
    std::vector<journal::Record> records;
    AppendDone done;
  };
  Hears hears_;
  std::mutex mutex_;
  std::string holding_;
  std::deque<Append> held_;
};

class TwoOwners : public testing::Test {
 protected:
  void TearDown() override { ledger.stop(); }  // before the door that its runtime writes through goes

  void SetUp() override {
    ledger.door = &door;
    ASSERT_TRUE(ledger.start().ok());
    use(0, 40);
    ASSERT_TRUE(ledger.settle());
    ledger.stop();
    for (const Shard& shard : ledger.shards()) early[shard] = ledger.store(shard).snapshot();
    ASSERT_TRUE(ledger.start().ok());
  }

  void use(int from, int to) {
    for (int n = from; n < to; ++n)
      ledger.usage("u" + std::to_string(n), "p-" + std::string(1, static_cast<char>('a' + n % 7)), 1000 * n);
  }

  // More usages while nothing that the owner writes to the topic arrives: waits until all before it have published, and
  // whoever writes to it has folded and committed.
  void use_while_held(Topic topic, MachineKind writer) {
    ledger.stop();
    use(40, 80);  // read at once, so that a lane of them is one packet
    door.hold(topic);
    ASSERT_TRUE(ledger.start().ok());
    for (const MachineKind kind : machine::kMachines) {
      for (std::uint16_t p = 0; p < machine::shards_of(kind, 2) && kind <= writer; ++p) {
        const auto inbox = ToyLedger::partition(machine::inbox_of(kind), p);
        while (true) {
          const auto status = ledger.status({kind, p});
          if (status.committed == *ledger.journal.end(inbox) && (kind == writer || status.outbox_bytes == 0)) break;
        }
      }
    }
  }

  // A second owner of the shard with its state of after the first usages: runs until it has published all that it can.
  void second_owner(const Shard& shard, std::int64_t added) {
    OwnersDoor second(ledger.journal, OwnersDoor::Hears::nothing);
    runtime::Options options = ledger.options;
    options.owned.emplace().insert(shard);
    store::MemoryStates states;
    store::WriteSet copy;
    early[shard]->scan("", "",
                       [&copy](BytesView key, BytesView value) { return copy.put(Bytes(key), Bytes(value)), true; });
    EXPECT_TRUE(states.state(runtime::name_of(shard)).commit(copy).ok());
    auto running = runtime::start_runtime(
        second, options, [&](MachineKind kind, std::uint16_t) { return std::make_unique<ToyMachine>(kind, added); },
        states, directory.path(), [](const Error& error) { ADD_FAILURE() << error.message; });
    ASSERT_TRUE(running.ok()) << running.error().message;
    const auto inbox = ToyLedger::partition(machine::inbox_of(shard.first), shard.second);
    while (true) {
      const auto status = (*running)->status().front();
      ASSERT_EQ(status.parked, "");
      if (status.committed == *ledger.journal.end(inbox) && status.outbox_bytes == 0) break;
    }
    (*running)->stop();
    EXPECT_EQ(states.dropped(), (std::map<std::string, int>()));
  }

  // How often each usage stands in finance's stream, and what the alarms of a machine's shards come to.
  std::map<std::string, int> charged() {
    std::map<std::string, int> times;
    for (std::uint16_t p = 0; p < 2; ++p)
      for (const auto& record : ledger.records(ToyLedger::partition(Topic::billing, p))) {
        const auto line = json::parse(record.value);
        EXPECT_TRUE(line.ok());
        ++times[line->find("root")->find("id")->string()];
      }
    return times;
  }
  // The first partition of it: what each number says, and how often.
  std::map<std::string, std::map<std::string, int>> stream() {
    std::map<std::string, std::map<std::string, int>> lines;
    for (const auto& record : ledger.records(ToyLedger::partition(Topic::billing, 0)))
      ++lines[std::string(runtime::header(record, "ce_id"))][record.value];
    return lines;
  }
  std::uint64_t alarms(MachineKind kind) {
    return ledger.status({kind, 0}).lane_alarms + ledger.status({kind, 1}).lane_alarms;
  }

  ToyLedger ledger{2};
  OwnersDoor door{ledger.journal};
  std::map<Shard, std::unique_ptr<store::View>> early;
  testing_support::TempDirectory directory;
};

const Shard kMetering{MachineKind::metering, 0};
const Shard kBilling{MachineKind::billing, 0};

TEST_F(TwoOwners, OfOneBuildAreDroppedRepeats) {
  use_while_held(Topic::allocations, MachineKind::metering);
  second_owner(kMetering, 0);
  door.release();
  ASSERT_TRUE(ledger.settle());
  ledger.check();
  EXPECT_EQ(alarms(MachineKind::allocation), 0U);
  EXPECT_GT(ledger.status({MachineKind::allocation, 0}).repeats_dropped, 0U);
  for (const Shard& shard : ledger.shards()) EXPECT_EQ(ledger.status(shard).parked, "");
}

TEST_F(TwoOwners, OfOneBuildRepeatThemselvesInAStreamWordForWord) {
  use_while_held(Topic::billing, MachineKind::billing);
  second_owner(kBilling, 0);
  door.release();
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(ledger.status(kBilling).parked, "");
  const auto lines = stream();
  EXPECT_FALSE(lines.empty());
  std::size_t twice = 0;
  for (const auto& [id, values] : lines) {
    EXPECT_EQ(values.size(), 1U) << id;
    twice += values.begin()->second > 1 ? 1 : 0;
  }
  EXPECT_GT(twice, 0U);
}

// One life wrote event by event and died in the middle; the next one has the same events in its outbox in one packet.
TEST_F(TwoOwners, OfWhichOneCutItsPacketsOtherwiseLoseNothing) {
  use_while_held(Topic::allocations, MachineKind::metering);
  ledger.stop();
  door.forget();
  std::set<std::uint16_t> halves;
  for (const runtime::OutPacket& packet : runtime::read_outbox(ledger.store(kMetering))) {
    if (packet.target.topic != Topic::allocations) continue;
    ASSERT_TRUE(halves.insert(packet.target.partition).second);
    auto view = *runtime::PacketView::parse(events::body_of(packet.bytes));
    auto hash = view.before;
    for (std::uint64_t number = packet.first; number < (packet.first + packet.last + 1) / 2; ++number) {
      const auto event = *view.next();
      runtime::PacketBuilder alone;
      alone.start(kTestLedger, MachineKind::metering, 0, number, hash);
      alone.add(event);
      ledger.append(Topic::allocations, packet.target.partition, alone.take());
      hash = proof::chain(hash, event);
    }
  }
  ASSERT_FALSE(halves.empty());
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  ledger.check();
  EXPECT_EQ(alarms(MachineKind::allocation), 0U);
  EXPECT_GT(ledger.status({MachineKind::allocation, 0}).repeats_dropped +
                ledger.status({MachineKind::allocation, 1}).repeats_dropped,
            0U)
      << "a packet that stood by half was sent whole";
  EXPECT_TRUE(ledger.wiped().empty());
}

TEST_F(TwoOwners, AZombieOfAnotherBuildGetsAheadOnAnInboxAndTheOwnerIsTheAlarm) {
  use_while_held(Topic::allocations, MachineKind::metering);
  second_owner(kMetering, 1);
  door.release();
  ASSERT_TRUE(ledger.settle());
  EXPECT_GT(alarms(MachineKind::allocation), 0U);
  const auto times = charged();
  EXPECT_EQ(times.size(), 80U);
  for (const auto& [id, count] : times) EXPECT_EQ(count, 1) << id;
  ledger.check_outward();
  // Once it looks, the owner finds that what stands is not its own, and says nothing more.
  ledger.stop();
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_NE(ledger.status(kMetering).parked.find("other output"), std::string::npos);
}

TEST_F(TwoOwners, AZombieOfAnotherBuildGetsAheadOnAStreamAndTheOwnerParks) {
  use_while_held(Topic::billing, MachineKind::billing);
  second_owner(kBilling, 1);
  door.release();
  ASSERT_TRUE(ledger.settle());
  EXPECT_NE(ledger.status(kBilling).parked.find("other output"), std::string::npos);
  EXPECT_EQ(ledger.status({MachineKind::billing, 1}).parked, "");
  const auto before = *ledger.journal.end(ToyLedger::partition(Topic::billing, 0));
  use(80, 120);
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(*ledger.journal.end(ToyLedger::partition(Topic::billing, 0)), before) << "nothing more is published";
}

// A process that slept for long wakes and sends what it had kept: records that were published long ago, behind all
// newer ones. Of small events one append holds thousands.
class AWokenZombie : public testing::Test {
 protected:
  static constexpr std::size_t kOldRecords = 5000;

  void TearDown() override { ledger.stop(); }

  void use(int from, int to) {
    for (int n = from; n < to; ++n) ledger.usage("u" + std::to_string(n), "p-a", 1000 * n);
  }

  // The stream of the organisation of p-a, which is far longer than what one look at its end reads.
  void publish_and_wake() {
    ASSERT_TRUE(ledger.start().ok());
    use(0, static_cast<int>(kOldRecords) + 300);
    ASSERT_TRUE(ledger.settle());
    for (std::uint16_t p = 0; p < 2; ++p)
      if (*ledger.journal.end(ToyLedger::partition(Topic::billing, p)) > kOldRecords)
        stream = ToyLedger::partition(Topic::billing, p);
    ASSERT_FALSE(stream.topic.empty());
    auto old = ledger.records(stream);
    old.resize(kOldRecords);
    ASSERT_TRUE(journal::append_and_wait(ledger.journal, stream, std::move(old)).ok());
  }
  // Each number from 1 on, and how often it is in the stream.
  std::map<std::uint64_t, int> numbers() {
    std::map<std::uint64_t, int> times;
    for (const auto& record : ledger.records(stream)) ++times[runtime::outward_number(record).value_or(0)];
    return times;
  }

  ToyLedger ledger{2};
  journal::Partition stream;
};

TEST_F(AWokenZombie, HidesNothingFromTheNextStart) {
  publish_and_wake();
  ledger.stop();
  ASSERT_TRUE(ledger.start().ok());
  use(static_cast<int>(kOldRecords) + 300, static_cast<int>(kOldRecords) + 310);
  ASSERT_TRUE(ledger.settle());
  EXPECT_TRUE(ledger.wiped().empty()) << "the newest numbers are in the stream";
  const auto times = numbers();
  EXPECT_EQ(times.size(), kOldRecords + 310);
  for (const auto& [number, count] : times) ASSERT_EQ(count, number <= kOldRecords ? 2 : 1) << number;
}

TEST_F(AWokenZombie, HidesNothingFromAStartWithoutState) {
  publish_and_wake();
  ledger.stop();
  ledger.wipe_all();
  ASSERT_TRUE(ledger.start().ok());
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(*ledger.journal.end(stream), 2 * kOldRecords + 300) << "nothing is published a second time";
}

TEST_F(AWokenZombie, HidesNothingFromARunningOwnerWhoseAppendFails) {
  publish_and_wake();
  ledger.journal.fail_next_append(stream, journal::MemoryJournal::Fault::before_write,
                                  {ErrorCode::unavailable, "ordered by the test"});
  use(static_cast<int>(kOldRecords) + 300, static_cast<int>(kOldRecords) + 310);
  ASSERT_TRUE(ledger.settle());
  EXPECT_EQ(ledger.fatal_calls(), 0U);
  const auto times = numbers();
  EXPECT_EQ(times.size(), kOldRecords + 310);
  for (const auto& [number, count] : times) ASSERT_EQ(count, number <= kOldRecords ? 2 : 1) << number;
}

}  // namespace
}  // namespace granary::test
