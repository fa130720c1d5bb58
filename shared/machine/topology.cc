#include "shared/machine/topology.h"

#include <charconv>

#include "shared/base/check.h"

namespace granary::machine {

std::string_view topic_key(Topic topic) {
  switch (topic) {
    case Topic::usage:
      return "source, root id";
    case Topic::allocations:
    case Topic::notices:
      return "project";
    case Topic::ledger:
    case Topic::billing:
      return "organisation";
    case Topic::applications:
    case Topic::rejected:
    case Topic::checkpoints:
      return "";
  }
  return "";
}

std::string_view machine_name(MachineKind machine) {
  return codec::enum_name(machine);
}

bool is_inbox(Topic topic) {
  return topic <= Topic::ledger;
}

Topic inbox_of(MachineKind machine) {
  return static_cast<Topic>(machine);
}

bool is_stream(Topic topic) {
  return topic == Topic::billing || topic == Topic::notices || topic == Topic::rejected;
}

MachineKind reader_of(Topic topic) {
  GRANARY_CHECK(is_inbox(topic), "no machine reads an outward stream");
  return static_cast<MachineKind>(topic);
}

std::uint16_t partitions_of(Topic topic, std::uint16_t partitions) {
  if (topic == Topic::applications) return 1;
  if (topic == Topic::rejected || topic == Topic::checkpoints) return static_cast<std::uint16_t>(1 + 3 * partitions);
  return partitions;
}

std::uint16_t shards_of(MachineKind machine, std::uint16_t partitions) {
  return partitions_of(inbox_of(machine), partitions);
}

std::uint16_t shard_partition(MachineKind machine, std::uint16_t shard, std::uint16_t partitions) {
  if (machine == MachineKind::intake) return 0;
  return static_cast<std::uint16_t>(1 + (static_cast<int>(machine) - 2) * partitions + shard);
}

std::vector<MachineKind> writers_of(Topic inbox) {
  switch (inbox) {
    case Topic::usage:
      return {MachineKind::intake};
    case Topic::allocations:
      return {MachineKind::intake, MachineKind::metering};
    case Topic::ledger:
      return {MachineKind::intake, MachineKind::allocation};
    default:
      return {};
  }
}

char* write_outward_id(char* at, std::uint16_t partition, std::uint64_t number) {
  char* const end = at + kOutwardIdMax;
  at = std::to_chars(at, end, partition).ptr;
  *at++ = '-';
  return std::to_chars(at, end, number).ptr;
}

}  // namespace granary::machine
