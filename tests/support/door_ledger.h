// A small ledger in memory with the real runtime over a made-up machine, for tests of the doors.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shared/clock/clock_keeper.h"
#include "shared/entry/event_door.h"
#include "shared/events/record.h"
#include "shared/journal/memory_journal.h"
#include "shared/json/strict_json.h"
#include "shared/ledger/ledger.h"
#include "shared/runtime/runtime.h"
#include "shared/store/memory_states.h"
#include "tests/support/temp_directory.h"
#include "tests/support/test_ledger.h"
#include "tests/support/test_reach.h"

namespace granary::test {

// 2026-11-01T12:00:00Z, a whole grid instant.
inline constexpr std::int64_t kNoonMs = 1793534400000;

class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::int64_t wall) : wall_ms_(wall) {}
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_ms_; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return monotonic_ms_; }
  void pass(std::int64_t ms) {
    wall_ms_ += ms;
    monotonic_ms_ += ms;
  }
  void set_wall(std::int64_t ms) { wall_ms_ = ms; }

 private:
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> monotonic_ms_ = 5'000;
};

// Judges by identity and substance; usage of project `nobody` waits, of class `bad` is refused.
class TinyMachine final : public machine::Machine {
 public:
  [[nodiscard]] machine::RowForm row_form() const override { return {}; }
  void open(const store::View&) override {}
  void show(const store::View&) override {}
  [[nodiscard]] bool has_rule(machine::Way, const events::Event&, std::uint64_t) const override { return true; }
  machine::Outcome apply_raw(const machine::RawInput& input, const machine::Context&, machine::Out&) override {
    if (const auto* usage = std::get_if<events::UsageReported>(&input.event)) {
      if (usage->project == "nobody") return {machine::Judgement::waiting, "unassigned"};
      if (usage->resources[0].class_name == "bad")
        return machine::Outcome::refuse("unknown_resource_class", "/resources/0/class", "publish it first");
    }
    const Hash32 substance = machine::substance_hash(input.raw);
    const auto [known, is_new] = seen_.emplace(input.identity, substance);
    if (is_new) return {};
    if (known->second == substance) return {machine::Judgement::repeat};
    return machine::Outcome::refuse("conflicting_duplicate", "", "send another id");
  }
  void apply_lane(const machine::LaneInput&, const machine::Context&, machine::Out&) override {}
  void apply_tick(units::Instant, const machine::Context&, machine::Out&) override {}
  void flush(store::WriteSet&) override {}
  void committed() override {}
  std::vector<machine::Figure> figures() override {
    return {{"tiny", "tiny_events", "What it has seen", seen_.size()}};
  }

 private:
  std::map<Id16, Hash32> seen_;
};

// Of a kind that no build knows: parks the shard.
inline Bytes a_newer_record() {
  Bytes record = events::encode_record(kTestLedger, events::Tick{});
  record[events::kFrontBytes - 1] = '\xf1';
  return record;
}

class DoorLedger {
 public:
  explicit DoorLedger(std::uint16_t partitions = 4, std::int64_t wall_ms = kNoonMs) : clock(wall_ms) {
    EXPECT_TRUE(runtime::open_ledger(journal, {partitions, kTestLedger}, clock).ok());
    partitions_ = partitions;
  }
  ~DoorLedger() { stop(); }

  void start_runtime() {
    states.forget_all();
    auto started = runtime::start_runtime(
        journal, options, [](machine::MachineKind, std::uint16_t) { return std::make_unique<TinyMachine>(); }, states,
        markers.path(), [](const Error& error) { ADD_FAILURE() << error.message; });
    ASSERT_TRUE(started.ok()) << started.error().message;
    runtime = std::move(*started);
  }
  void start(entry::EventDoorOptions door_options = {}) {
    start_runtime();
    auto started = clock::ClockKeeper::start(journal, *runtime, clock);
    ASSERT_TRUE(started.ok()) << started.error().message;
    keeper = std::move(*started);
    events = std::make_unique<entry::EventDoor>(journal, *runtime, reach.loop, *keeper, std::move(door_options));
  }
  void stop() {
    if (events) events->close();
    reach.forwarder.stop();
    reach.loop.stop();
    if (keeper) keeper->stop();
    if (runtime) runtime->stop();
  }

  // Posts and waits for the answer.
  http::Response post(http::Request request) const {
    auto answer = std::make_shared<std::promise<http::Response>>();
    auto future = answer->get_future();
    events->post(std::move(request),
                 http::Responder([answer](http::Response response) { answer->set_value(std::move(response)); }));
    return future.get();
  }

  void append(const journal::Partition& partition, Bytes record) {
    std::vector<journal::Record> records(1);
    records.front().value = std::move(record);
    EXPECT_TRUE(journal::append_and_wait(journal, partition, std::move(records)).ok());
  }
  void append_tick(const journal::Partition& partition, std::int64_t at_ms) {
    append(partition, events::encode_record(kTestLedger, events::Tick{units::Instant(at_ms)}));
  }
  [[nodiscard]] std::vector<journal::Record> records(const journal::Partition& partition) const {
    std::vector<journal::Record> all;
    journal::ReadBatch batch;
    while (journal.read(partition, all.size(), 1U << 20, batch).ok() && !batch.records.empty())
      all.insert(all.end(), batch.records.begin(), batch.records.end());
    return all;
  }
  [[nodiscard]] std::vector<std::int64_t> ticks(const journal::Partition& partition) const {
    std::vector<std::int64_t> all;
    for (const journal::Record& record : records(partition)) {
      events::Tick tick;
      if (events::kind_of(record.value) == events::RecordKind::tick &&
          codec::decode(events::body_of(record.value), tick))
        all.push_back(tick.instant.ms());
    }
    return all;
  }
  [[nodiscard]] std::vector<journal::Partition> inboxes() const {
    std::vector<journal::Partition> all;
    for (const machine::Topic topic : machine::kTopics)
      for (std::uint16_t p = 0; machine::is_inbox(topic) && p < machine::partitions_of(topic, partitions_); ++p)
        all.push_back({std::string(machine::topic_name(topic)), p});
    return all;
  }

  FakeClock clock;
  journal::MemoryJournal journal;
  runtime::Options options;  // of the runtime
  store::MemoryStates states;
  testing_support::TempDirectory markers;
  TestReach reach;
  std::unique_ptr<runtime::Runtime> runtime;
  std::unique_ptr<clock::ClockKeeper> keeper;
  std::unique_ptr<entry::EventDoor> events;

 private:
  std::uint16_t partitions_ = 0;
};

inline json::Value parsed(const std::string& text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? std::move(*value) : json::Value();
}

// The text of a string member at the end of a path of names and indexes; empty where there is none.
inline std::string text_at(const json::Value& root, const std::vector<std::string>& path) {
  const json::Value* at = &root;
  for (const std::string& step : path) {
    if (at->is(json::Kind::array)) {
      const auto index = static_cast<std::size_t>(std::stoul(step));
      at = index < at->items().size() ? &at->items()[index] : nullptr;
    } else {
      at = at->find(step);
    }
    if (at == nullptr) return {};
  }
  if (at->is(json::Kind::string)) return at->string();
  return at->is(json::Kind::number) ? at->number_text() : std::string();
}

}  // namespace granary::test
