#include "shared/machine/topology.h"

#include <charconv>

#include "shared/base/check.h"

namespace granary::machine {
namespace {

constexpr bool rows_are_in_order() {
  for (std::size_t i = 0; i < kTopics.size(); ++i)
    if (kTopology.rows[i].topic != kTopics[i] || static_cast<std::size_t>(kTopics[i]) != i + 1) return false;
  return true;
}
static_assert(rows_are_in_order(), "Topology::row() finds a topic by its number");

}  // namespace

std::string_view topic_key(Topic topic) {
  return kTopology.row(topic).key;
}

std::string_view machine_name(MachineKind machine) {
  return codec::enum_name(machine);
}

bool is_inbox(Topic topic) {
  return kTopology.row(topic).kind == TopicRow::Kind::inbox;
}

Topic inbox_of(MachineKind machine) {
  return static_cast<Topic>(machine);
}

bool is_stream(Topic topic) {
  return kTopology.row(topic).kind == TopicRow::Kind::stream;
}

MachineKind reader_of(Topic topic) {
  GRANARY_CHECK(is_inbox(topic), "no machine reads an outward stream");
  return static_cast<MachineKind>(topic);
}

std::uint16_t partitions_of(Topic topic, std::uint16_t partitions) {
  switch (kTopology.row(topic).partitions) {
    case TopicRow::Partitions::one:
      return 1;
    case TopicRow::Partitions::of_ledger:
      return partitions;
    case TopicRow::Partitions::one_per_shard:
      break;
  }
  std::uint16_t shards = 0;
  for (const MachineKind machine : kMachines)
    shards = static_cast<std::uint16_t>(shards + shards_of(machine, partitions));
  return shards;
}

std::uint16_t shards_of(MachineKind machine, std::uint16_t partitions) {
  return partitions_of(inbox_of(machine), partitions);
}

std::uint16_t shard_partition(MachineKind machine, std::uint16_t shard, std::uint16_t partitions) {
  std::uint16_t before = 0;
  for (const MachineKind other : kMachines)
    if (other < machine) before = static_cast<std::uint16_t>(before + shards_of(other, partitions));
  return static_cast<std::uint16_t>(before + shard);
}

std::vector<MachineKind> writers_of(Topic topic, const Topology& topology) {
  std::vector<MachineKind> writers;
  for (const MachineKind machine : kMachines)
    if (topology.row(topic).writers.contains(machine)) writers.push_back(machine);
  return writers;
}

bool counts_for_complete(MachineKind writer, Topic inbox) {
  return inbox != inbox_of(writer);
}

std::vector<LaneTarget> lanes_of(MachineKind machine, std::uint16_t shard, std::uint16_t partitions,
                                 const Topology& topology) {
  std::vector<LaneTarget> lanes;
  for (const TopicRow& row : topology.rows) {
    if (!row.writers.contains(machine) || row.kind == TopicRow::Kind::checkpoints) continue;
    if (row.kind == TopicRow::Kind::inbox) {
      for (std::uint16_t partition = 0; partition < partitions_of(row.topic, partitions); ++partition)
        lanes.push_back({row.topic, partition});
    } else {
      const bool is_per_shard = row.partitions == TopicRow::Partitions::one_per_shard;
      lanes.push_back({row.topic, is_per_shard ? shard_partition(machine, shard, partitions) : shard});
    }
  }
  return lanes;
}

char* write_outward_id(char* at, std::uint16_t partition, std::uint64_t number) {
  char* const end = at + kOutwardIdMax;
  at = std::to_chars(at, end, partition).ptr;
  *at++ = '-';
  return std::to_chars(at, end, number).ptr;
}

}  // namespace granary::machine
