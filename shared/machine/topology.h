// Who reads what: the four machines and the topics between them (design, section 1). Values; any thread.
#pragma once

#include <array>
#include <cstdint>
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

using events::topic_name;
// "intake", ...
std::string_view machine_name(MachineKind machine);
// What a topic's partition is chosen by: "source, root id"; empty where no key is.
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

// The partition of `rejected` and of `checkpoints` that belongs to one machine and shard: intake's, then metering's,
// allocation's, billing's.
std::uint16_t shard_partition(MachineKind machine, std::uint16_t shard, std::uint16_t partitions);

// The machines that append lanes to an inbox.
std::vector<MachineKind> writers_of(Topic inbox);

// Writes the id of an event of an outward stream, its partition and its number there: "7-1". At least kOutwardIdMax
// bytes must be free at `at`; the end of what was written.
inline constexpr std::size_t kOutwardIdMax = 5 + 1 + 20;
char* write_outward_id(char* at, std::uint16_t partition, std::uint64_t number);

}  // namespace granary::machine
