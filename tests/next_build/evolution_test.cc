// The rules change while events are under way. Compiled in the tree of the build after this one (make_tree.py), whose
// rules version 2 weighs usage: the four real machines over three partitions, each a Fold over a store in memory, and
// lanes that a test delivers as it likes. Whatever lane brings the activation late, whenever a shard loses its state,
// each usage is charged by the rules that were in force where it was folded, and all agree.
//
// Threads: one.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "services/standalone/machines.h"
#include "shared/fold/fold.h"
#include "shared/fold/outward.h"
#include "shared/proof/hash.h"
#include "shared/runtime/replay.h"
#include "shared/store/memory_store.h"

namespace granary {
namespace {

using machine::MachineKind;
using machine::Topic;
using runtime::Fold;
using runtime::LaneTarget;
using Shard = std::pair<MachineKind, std::uint16_t>;
using Lane = std::pair<Shard, LaneTarget>;
using units::Instant;

constexpr Id16 kId{0x2e, 0x87, 1};
constexpr runtime::Ledger kLedger{kId, 3, 1};
constexpr Instant kStart{1'790'000'000'000};

std::string name_of(const Lane& lane) {
  return std::string(machine::machine_name(lane.first.first)) + "-" + std::to_string(lane.first.second) + " to " +
         std::string(machine::topic_name(lane.second.topic)) + "/" + std::to_string(lane.second.partition);
}

// One shard with its inbox, which is its truth.
struct Process {
  explicit Process(const Shard& the_shard) : shard(the_shard) { begin(); }
  void begin() {
    fold.reset();
    store = std::make_unique<store::MemoryStore>();
    fold =
        std::make_unique<Fold>(kLedger, shard.first, shard.second, standalone::make_machine(shard.first, shard.second));
    fold->open(*store);
  }
  // Folds what stands in the inbox and is not folded; what it emits.
  std::vector<runtime::OutPacket> go_on() {
    std::vector<runtime::OutPacket> sent;
    while (fold->position() < inbox.size()) {
      EXPECT_EQ(fold->fold(inbox[fold->position()]), Fold::Step::folded) << fold->park_reason();
      if (fold->position() < inbox.size() && fold->position() % 2 == 0) continue;  // some commits hold two records
      store::WriteSet rows;
      std::vector<runtime::OutPacket> ready;
      fold->flush(rows, ready);
      EXPECT_TRUE(store->commit(rows).ok());
      fold->committed();
      std::move(ready.begin(), ready.end(), std::back_inserter(sent));
    }
    return sent;
  }
  Shard shard;
  std::vector<Bytes> inbox;
  std::unique_ptr<store::MemoryStore> store;
  std::unique_ptr<Fold> fold;
};

class World {
 public:
  World() {
    for (const MachineKind kind : machine::kMachines)
      for (std::uint16_t number = 0; number < machine::shards_of(kind, kLedger.partitions); ++number) {
        Process& process = processes_.emplace(Shard{kind, number}, Shard{kind, number}).first->second;
        events::Genesis genesis{
            kId,    kLedger.partitions, std::string(machine::topic_name(machine::inbox_of(kind))), number,
            kStart, kLedger.rules};
        process.inbox.push_back(events::encode_record(kId, genesis));
      }
  }

  // Packets of that lane stay under way until release().
  void hold(const Lane& lane) { held_ = lane; }
  void release() {
    held_.reset();
    settle();
  }
  // After each step the state of this shard is deleted and folded again from its inbox.
  void forget(const Shard& shard) { forgetful_ = shard; }

  void tick(std::int64_t seconds) {
    now_ = kStart.plus_ms(seconds * units::kSecondMs);
    for (auto& [shard, process] : processes_) process.inbox.push_back(events::encode_record(kId, events::Tick{now_}));
    settle();
  }
  machine::Outcome send(const std::string& id, const events::Event& event) {
    const auto entry = events::entry_of(event);
    events::Raw raw;
    raw.source = "slurm://a";
    raw.id = id;
    if (entry->root != nullptr) raw.root = *entry->root;
    raw.time = raw.recorded_at = now_;
    raw.caller.kind = events::CallerKind::open;
    events::encode_event(event, raw.substance);
    const events::Root root = entry->root != nullptr ? *entry->root : events::Root{raw.source, raw.id};
    const std::uint16_t number =
        entry->topic == Topic::usage ? proof::shard_of({root.source, root.id}, kLedger.partitions) : std::uint16_t{0};
    Process& process = processes_.at({machine::reader_of(entry->topic), number});
    process.inbox.push_back(events::encode_record(kId, raw));
    const std::uint64_t offset = process.inbox.size() - 1;
    settle();
    return process.fold->outcome_of(offset).value_or(machine::Outcome{});
  }

  // Every lane over which rules versions travel.
  [[nodiscard]] static std::vector<Lane> lanes() {
    std::vector<Lane> all;
    for (const Topic topic : machine::kTopics) {
      if (!machine::is_inbox(topic)) continue;
      for (const MachineKind writer : machine::writers_of(topic))
        for (std::uint16_t from = 0; from < machine::shards_of(writer, kLedger.partitions); ++from)
          for (std::uint16_t to = 0; to < machine::partitions_of(topic, kLedger.partitions); ++to)
            all.push_back({{writer, from}, {topic, to}});
    }
    return all;
  }

  // What finance got, without the places in the stream: which lane came first decides those.
  [[nodiscard]] std::vector<std::string> charges() const {
    std::vector<std::string> lines;
    for (const Bytes& event : outward_) {
      events::EventDecoder decoder;
      if (decoder.decode(event) != events::DecodeResult::ok) continue;
      if (const auto* line = std::get_if<events::ChargeRated>(&decoder.event()))
        lines.push_back(line->project + " " + line->resource + " " + units::format_integer(line->amount.value()) + " " +
                        units::format_decimal(line->billed_amount.value(), 9));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  // The events of the outward streams, to the byte and in order.
  [[nodiscard]] const std::vector<Bytes>& outward() const { return outward_; }
  [[nodiscard]] std::uint64_t rules(const Shard& shard) const { return processes_.at(shard).fold->rules_version(); }
  std::map<Shard, Process>& processes() { return processes_; }

 private:
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& [shard, process] : processes_) {
        for (const runtime::OutPacket& packet : process.go_on()) send(shard, packet);
        for (auto& [lane, waiting] : under_way_) {
          if (lane == held_) continue;
          moved |= !waiting.empty();
          for (Bytes& record : waiting)
            processes_.at({machine::reader_of(lane.second.topic), lane.second.partition})
                .inbox.push_back(std::move(record));
          waiting.clear();
        }
      }
    }
    if (forgetful_) fold_again(processes_.at(*forgetful_));
  }
  void send(const Shard& shard, const runtime::OutPacket& packet) {
    if (machine::is_inbox(packet.target.topic)) {
      under_way_[{shard, packet.target}].push_back(packet.bytes);
      return;
    }
    auto view = runtime::PacketView::parse(events::body_of(packet.bytes));
    while (const auto event = view->next()) outward_.emplace_back(*event);
  }
  // From nothing to where it stood: the same rows, and the same events on every lane.
  static void fold_again(Process& process) {
    const auto digest = runtime::state_digest(*process.store);
    const auto lanes = process.fold->out_lanes();
    const auto rules = process.fold->rules_version();
    process.begin();
    process.go_on();
    EXPECT_EQ(to_hex(view_of(runtime::state_digest(*process.store))), to_hex(view_of(digest)));
    EXPECT_EQ(process.fold->out_lanes(), lanes);
    EXPECT_EQ(process.fold->rules_version(), rules);
  }

  std::map<Shard, Process> processes_;
  std::map<Lane, std::deque<Bytes>> under_way_;
  std::vector<Bytes> outward_;
  std::optional<Lane> held_;
  std::optional<Shard> forgetful_;
  Instant now_ = kStart;
};

constexpr int kProjects = 6;

std::string project(int n) {
  return "p" + std::to_string(n % kProjects);
}

events::UsageReported usage(int n, std::uint64_t weight) {
  events::UsageReported usage;
  usage.project = project(n);
  usage.resources = {{"gpu", units::Quantity(1000), {}, ""}};  // one GPU
  usage.start = kStart;
  usage.end = kStart.plus_ms(units::kSecondMs);
  usage.weight = weight;
  return usage;
}

void decide(World& world) {
  events::PolicyContent classes;
  classes.classes = {{"gpu", units::UnitKind::resource_us, events::Charging::lots}};
  world.send("classes", events::PolicyPublished{events::PolicyKind::resource_classes, "1", Instant(), classes});
  events::PolicyContent overdraft;
  overdraft.mode = events::OverdraftMode::bill;
  overdraft.seller = "aif";
  world.send("overdraft", events::PolicyPublished{events::PolicyKind::overdraft, "1", Instant(), overdraft});
  events::PriceBookPublished book;
  book.seller = "aif";
  book.version = "1";
  book.currency = "EUR";
  book.prices = {{"gpu", units::Price(3'600'000'000'000), "resource-hour", {}, {}}};  // 1 EUR a second
  world.send("prices", book);
  events::OrganisationRegistered organisation;
  organisation.organisation = organisation.name = "o";
  organisation.kind = events::CustomerKind::sme;
  organisation.country = "FI";
  world.send("organisation", organisation);
  for (int n = 0; n < kProjects; ++n) {
    events::ProjectRegistered registered;
    registered.project = project(n);
    registered.organisation = "o";
    world.send("project-" + project(n), registered);
  }
}

// Usage before, while and after version 2 spreads; the weight counts where version 2 is in force, and nothing is lost.
// `with_late` says which of the usages in the middle meet version 1 still.
void history(World& world, const std::function<void()>& before_activation, const std::function<void()>& after) {
  decide(world);
  world.tick(10);
  for (int n = 0; n < 6; ++n)
    EXPECT_EQ(world.send("before-" + std::to_string(n), usage(n, 0)).judgement, machine::Judgement::accepted);
  // A form of version 2 under version 1 is refused by name; no door lets it come so far.
  EXPECT_EQ(world.send("too-early", usage(0, 5)).reason, "rules_not_in_force");
  EXPECT_EQ(world.send("too-early-mark", events::UsageMarked{{"slurm://a", "before-0"}, "p0"}).reason,
            "rules_not_in_force");
  EXPECT_EQ(world.send("too-far", events::RulesActivated{3}).reason, "rules_version_not_next");
  before_activation();
  EXPECT_EQ(world.send("activate", events::RulesActivated{2}).judgement, machine::Judgement::accepted);
  EXPECT_EQ(world.send("activate", events::RulesActivated{2}).judgement, machine::Judgement::repeat);
  world.tick(20);
  for (int n = 0; n < 6; ++n) {
    // As doors do: a weight only where the shard folds by version 2.
    const std::string id = "middle-" + std::to_string(n);
    const std::uint16_t shard = proof::shard_of({"slurm://a", id}, kLedger.partitions);
    const bool weighs = world.rules({MachineKind::metering, shard}) == 2;
    EXPECT_EQ(world.send(id, usage(n, weighs ? 2 : 0)).judgement, machine::Judgement::accepted) << id;
  }
  after();
  world.tick(30);
  for (int n = 0; n < 6; ++n)
    EXPECT_EQ(world.send("after-" + std::to_string(n), usage(n, 3)).judgement, machine::Judgement::accepted);
  EXPECT_EQ(world.send("mark", events::UsageMarked{{"slurm://a", "after-0"}, "p0"}).judgement,
            machine::Judgement::accepted);
  events::PolicyContent order;
  order.order = {events::BurnRule::latest_expiry};
  EXPECT_EQ(world.send("order", events::PolicyPublished{events::PolicyKind::burn_order, "1", kStart, order}).judgement,
            machine::Judgement::accepted);
  for (const auto& [shard, process] : world.processes()) {
    EXPECT_EQ(process.fold->rules_version(), 2U);
    EXPECT_EQ(process.fold->counters().lane_alarms, 0U);
  }
}

std::vector<std::string> charges_of(const std::function<bool(int)>& weighs) {
  std::vector<std::string> lines;
  const auto add = [&lines](int n, int weight) {
    lines.push_back(project(n) + " gpu " + std::to_string(weight * 1'000'000) + " " + std::to_string(weight));
  };
  for (int n = 0; n < 6; ++n) {
    add(n, 1);
    add(n, weighs(n) ? 2 : 1);
    add(n, 3);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// The history with that lane late. The metering shards that do not know version 2 in the middle.
std::set<std::uint16_t> history_with_late(World& world, const Lane& lane) {
  std::set<std::uint16_t> late;
  history(
      world, [&] { world.hold(lane); },
      [&] {
        for (std::uint16_t number = 0; number < kLedger.partitions; ++number)
          if (world.rules({MachineKind::metering, number}) == 1) late.insert(number);
        world.release();
      });
  return late;
}

std::vector<std::string> charges_with_late(const std::set<std::uint16_t>& late) {
  return charges_of([&](int n) {
    return !late.contains(proof::shard_of({"slurm://a", "middle-" + std::to_string(n)}, kLedger.partitions));
  });
}

TEST(Evolution, AVersionWeighsWhatIsFoldedAfterIt) {
  World world;
  history(
      world, [] {}, [] {});
  EXPECT_EQ(world.charges(), charges_of([](int) { return true; }));
}

// A lane that is late keeps the version from nobody but its reader, and loses nothing: another lane brings the version.
TEST(Evolution, TheActivationMayBeLateOnAnyLane) {
  for (const Lane& lane : World::lanes()) {
    SCOPED_TRACE(name_of(lane));
    World world;
    const auto late = history_with_late(world, lane);
    EXPECT_EQ(late.size(), lane.first.first == MachineKind::intake && lane.second.topic == Topic::usage ? 1U : 0U);
    EXPECT_EQ(world.charges(), charges_with_late(late));
  }
}

TEST(Evolution, AStateThatIsDeletedAtAnyPointComesBackTheSame) {
  World whole;
  for (const auto& [shard, process] : whole.processes()) {
    SCOPED_TRACE(std::string(machine::machine_name(shard.first)) + "-" + std::to_string(shard.second));
    World world;
    world.forget(shard);
    history(
        world, [] {}, [] {});
    EXPECT_EQ(world.charges(), charges_of([](int) { return true; }));
  }
}

// Both at once, for each lane and its reader, which meets the version on another lane first.
TEST(Evolution, ALateLaneAndALostStateTogether) {
  for (const Lane& lane : World::lanes()) {
    SCOPED_TRACE(name_of(lane));
    World world;
    world.forget({machine::reader_of(lane.second.topic), lane.second.partition});
    EXPECT_EQ(world.charges(), charges_with_late(history_with_late(world, lane)));
    World whole;
    history_with_late(whole, lane);
    EXPECT_EQ(world.outward(), whole.outward()) << "the lost state changes nothing that goes out";
  }
}

}  // namespace
}  // namespace granary
