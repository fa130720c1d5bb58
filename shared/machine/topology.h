// Who fills and who reads what: one table of the topics between the four machines and of the streams to the outside
// (design, section 1). All else here is computed from it. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "shared/events/topic.h"

namespace granary::machine {

using events::MachineKind;
using events::Topic;

inline constexpr std::array kTopics{Topic::applications, Topic::usage,   Topic::allocations, Topic::ledger,
                                    Topic::billing,      Topic::notices, Topic::rejected,    Topic::checkpoints};
inline constexpr std::array kMachines{MachineKind::intake, MachineKind::metering, MachineKind::allocation,
                                      MachineKind::billing};

class MachineSet {
 public:
  constexpr MachineSet(std::initializer_list<MachineKind> machines) {
    for (const MachineKind machine : machines) bits_ |= bit_of(machine);
  }
  [[nodiscard]] constexpr bool contains(MachineKind machine) const { return (bits_ & bit_of(machine)) != 0; }

 private:
  static constexpr unsigned bit_of(MachineKind machine) { return 1U << static_cast<unsigned>(machine); }
  unsigned bits_ = 0;
};

struct TopicRow {
  // How many partitions it has: one, the ledger's number, or one for each shard of each machine, which alone fills it
  // (shard_partition).
  enum class Partitions : std::uint8_t { one, of_ledger, one_per_shard };
  enum class Kind : std::uint8_t { inbox, stream, checkpoints };
  Topic topic{};
  Kind kind{};
  Partitions partitions{};
  std::string_view key;  // what a partition is chosen by: "source, root id"; empty: by no key
  MachineSet writers;    // machines alone; doors fill inboxes too
};

// A topology, a row for each topic in the order of their numbers. Tests have others.
struct Topology {
  std::array<TopicRow, kTopics.size()> rows;
  [[nodiscard]] constexpr const TopicRow& row(Topic topic) const { return rows[static_cast<std::size_t>(topic) - 1]; }
};

inline constexpr Topology kTopology{{{
    {Topic::applications, TopicRow::Kind::inbox, TopicRow::Partitions::one, "", {}},
    {Topic::usage, TopicRow::Kind::inbox, TopicRow::Partitions::of_ledger, "source, root id", {MachineKind::intake}},
    {Topic::allocations,
     TopicRow::Kind::inbox,
     TopicRow::Partitions::of_ledger,
     "project",
     {MachineKind::intake, MachineKind::metering}},
    {Topic::ledger,
     TopicRow::Kind::inbox,
     TopicRow::Partitions::of_ledger,
     "organisation",
     {MachineKind::intake, MachineKind::allocation}},
    {Topic::billing, TopicRow::Kind::stream, TopicRow::Partitions::of_ledger, "organisation", {MachineKind::billing}},
    {Topic::notices, TopicRow::Kind::stream, TopicRow::Partitions::of_ledger, "project", {MachineKind::allocation}},
    {Topic::rejected,
     TopicRow::Kind::stream,
     TopicRow::Partitions::one_per_shard,
     "",
     {MachineKind::intake, MachineKind::metering, MachineKind::allocation, MachineKind::billing}},
    {Topic::checkpoints,
     TopicRow::Kind::checkpoints,
     TopicRow::Partitions::one_per_shard,
     "",
     {MachineKind::intake, MachineKind::metering, MachineKind::allocation, MachineKind::billing}},
}}};

using events::topic_name;
// "intake", ...
std::string_view machine_name(MachineKind machine);
std::string_view topic_key(Topic topic);
// Folded by a machine.
bool is_inbox(Topic topic);
// Read by the outside alone: billing, notices, rejected.
bool is_stream(Topic topic);
Topic inbox_of(MachineKind machine);
// The machine that folds the inbox. `topic` must be one.
MachineKind reader_of(Topic topic);

// Partitions of a topic and shards of a machine in a ledger of `partitions`.
std::uint16_t partitions_of(Topic topic, std::uint16_t partitions);
std::uint16_t shards_of(MachineKind machine, std::uint16_t partitions);

// The partition that belongs to one machine and shard, of a topic with one for each: intake's, then metering's,
// allocation's, billing's.
std::uint16_t shard_partition(MachineKind machine, std::uint16_t shard, std::uint16_t partitions);

// The machines that append to a topic, in the order of the flow.
std::vector<MachineKind> writers_of(Topic topic, const Topology& topology = kTopology);

// Whether lanes of `writer` count for how far an inbox is complete. A machine's lanes to its own inbox do not: the
// instant of such a lane would wait for itself. So nothing that closes by `complete` may wait for what they bring.
bool counts_for_complete(MachineKind writer, Topic inbox);

// One partition of a topic that a shard writes to.
struct LaneTarget {
  Topic topic{};
  std::uint16_t partition = 0;
  auto operator<=>(const LaneTarget&) const = default;
};
// All lanes of a shard: to each partition of the inboxes that its machine fills, and to its own partition of each
// stream. Checkpoints are no lane.
std::vector<LaneTarget> lanes_of(MachineKind machine, std::uint16_t shard, std::uint16_t partitions,
                                 const Topology& topology = kTopology);

// Writes the id of an event of an outward stream, its partition and its number there: "7-1". At least kOutwardIdMax
// bytes must be free at `at`; the end of what was written.
inline constexpr std::size_t kOutwardIdMax = 5 + 1 + 20;  // digits of u16, a dash, digits of u64
char* write_outward_id(char* at, std::uint16_t partition, std::uint64_t number);

}  // namespace granary::machine
