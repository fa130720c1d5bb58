#include "shared/runtime/target_scan.h"

#include "shared/proof/hash.h"
#include "shared/runtime/outward.h"

namespace granary::runtime {
namespace {
constexpr std::size_t kReadBytes = 4U << 20;
}

Result<LaneCounter> TargetScan::last_of(MachineKind machine, std::uint16_t shard, const LaneTarget& target,
                                        std::uint64_t from) {
  if (!machine::is_inbox(target.topic)) return last_outward(target);
  const auto known = seen_.find(target);
  if (known == seen_.end() || known->second.from > from) GRANARY_TRY(scan_inbox(target, from));
  const auto& lanes = seen_[target].lanes;
  const auto lane = lanes.find({machine, shard});
  return lane == lanes.end() ? LaneCounter{} : lane->second;
}

Result<void> TargetScan::scan_inbox(const LaneTarget& target, std::uint64_t from) {
  const journal::Partition partition{std::string(machine::topic_name(target.topic)), target.partition};
  Seen& seen = seen_[target];
  seen.from = from;
  journal::ReadBatch batch;
  while (true) {
    GRANARY_TRY(journal_.read(partition, from, kReadBytes, batch));
    if (batch.records.empty()) return {};
    for (const journal::Record& record : batch.records) {
      if (events::kind_of(record.value) != events::RecordKind::packet) continue;
      auto packet = PacketView::parse(events::body_of(record.value));
      if (!packet) continue;
      LaneCounter& lane = seen.lanes[{packet->machine, packet->shard}];
      // A packet that its reader drops whole (a gap, another truth) does not count as standing.
      if (lane.number != 0 && packet->first > lane.number + 1) continue;
      Hash32 hash = packet->before;
      for (std::uint64_t number = packet->first; const auto event = packet->next(); ++number) {
        hash = proof::chain(hash, *event);
        if (number > lane.number) lane = {number, hash};
      }
    }
    from += batch.records.size();
  }
}

Result<LaneCounter> TargetScan::last_outward(const LaneTarget& target) {
  const journal::Partition partition{std::string(machine::topic_name(target.topic)), target.partition};
  const auto end = journal_.end(partition);
  if (!end.ok()) return end.error();
  if (*end == 0) return LaneCounter{};
  journal::ReadBatch batch;
  GRANARY_TRY(journal_.read(partition, *end - 1, kReadBytes, batch));
  const auto number = batch.records.empty() ? std::nullopt : outward_number(batch.records.front());
  if (!number) {
    return Error{ErrorCode::corrupt,
                 "the last record of " + partition.topic + "/" + std::to_string(partition.number) +
                     " has no ce_id of partition and number; only Granary may write to this topic; hint: "
                     "find who else does, and restore the topic"};
  }
  return LaneCounter{*number, Hash32{}};
}

}  // namespace granary::runtime
