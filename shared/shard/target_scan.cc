#include "shared/shard/target_scan.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/base/probe.h"
#include "shared/fold/outward.h"
#include "shared/machine/topology.h"
#include "shared/proof/hash.h"

namespace granary::runtime {
namespace {
constexpr std::size_t kReadBytes = 4U << 20;  // memory of one batch; a larger one is not read faster
// A checkpoint is passed over if its owner was ahead of what the log kept. If more than this number are passed over in
// a row, the log was restored from a backup, and all of it is read.
constexpr std::uint64_t kCheckpointsTried = 16;
// The records at the end of a stream that are read first. Usually the newest number is among them: a repeated append of
// a few single events is shorter.
constexpr std::uint64_t kOutwardTail = 256;
}  // namespace

Result<TargetScan::Standing> TargetScan::last_of(MachineKind machine, std::uint16_t shard, const LaneTarget& target,
                                                 const LaneCounter& known, journal::Offset from) {
  if (!machine::is_inbox(target.topic)) return last_outward(target);
  const Lane lane{machine, shard};
  const auto end = journal_.end(partition_of(target));
  if (!end.ok()) return end.error();
  if (from > 0 && from <= *end) {
    GRANARY_PROBE("a target is read from where it had acknowledged");
    Whole tail{{{lane, known}}, from};
    GRANARY_TRY(scan_inbox(target, &lane, tail));
    return Standing{counter_of(lane, target, tail), tail.end};
  }
  Whole& whole = whole_[target];
  if (whole.end == 0) GRANARY_TRY(begin_at_checkpoint(target, whole));
  GRANARY_TRY(scan_inbox(target, nullptr, whole));
  return Standing{counter_of(lane, target, whole), whole.end};
}

LaneCounter& TargetScan::counter_of(const Lane& lane, const LaneTarget& target, Whole& whole) const {
  const auto [found, is_new] = whole.lanes.try_emplace(lane);
  if (is_new) found->second.hash = chain_start(ledger_.id, lane.first, lane.second, target.topic, target.partition);
  return found->second;
}

Result<void> TargetScan::scan_inbox(const LaneTarget& target, const Lane* only, Whole& whole) const {
  const journal::Partition partition = partition_of(target);
  journal::ReadBatch batch;
  while (true) {
    GRANARY_TRY(journal_.read(partition, whole.end, kReadBytes, batch));
    if (batch.records.empty()) return {};
    whole.end += batch.records.size();
    for (const journal::Record& record : batch.records) {
      if (events::whose_is(record.value, ledger_.id) != events::Whose::known ||
          events::kind_of(record.value) != events::RecordKind::packet)
        continue;
      auto packet = PacketView::parse(events::body_of(record.value));
      if (!packet) continue;
      const Lane lane{packet->machine, packet->shard};
      if (only != nullptr && lane != *only) continue;
      // As Fold::fold_packet: a packet that the reader drops does not count.
      LaneCounter& standing = counter_of(lane, target, whole);
      if (join(*packet, standing.number, standing.hash) != Joint::next) {
        GRANARY_PROBE("a scan passes over a packet that its reader dropped");
        continue;
      }
      while (const auto event = packet->next()) standing = {standing.number + 1, proof::chain(standing.hash, *event)};
    }
  }
}

Result<void> TargetScan::begin_at_checkpoint(const LaneTarget& target, Whole& whole) const {
  const journal::Partition partition = partition_of(target);
  const journal::Partition checkpoints{
      std::string(machine::topic_name(Topic::checkpoints)),
      machine::shard_partition(machine::reader_of(target.topic), target.partition, ledger_.partitions)};
  const auto end = journal_.end(partition);
  if (!end.ok()) return end.error();
  const auto written = journal_.end(checkpoints);
  if (!written.ok()) return written.error();
  journal::ReadBatch batch;
  for (std::uint64_t tried = 0; tried < std::min(*written, kCheckpointsTried); ++tried) {
    GRANARY_TRY(journal_.read(checkpoints, *written - 1 - tried, 1, batch));
    if (batch.records.empty()) continue;
    const auto checkpoint = events::read_checkpoint(batch.records.front().value);
    if (!checkpoint || BytesView(checkpoint->check) != view_of(check_of(*checkpoint)) ||
        checkpoint->topic != partition.topic || checkpoint->partition != partition.number || checkpoint->size == 0 ||
        checkpoint->size > *end) {
      GRANARY_PROBE("a checkpoint is passed over that does not fit");
      continue;
    }
    GRANARY_TRY(journal_.read(partition, checkpoint->size - 1, 1, batch));
    if (batch.records.empty() ||
        view_of(proof::sha256(batch.records.front().value)) != BytesView(checkpoint->last_record_hash)) {
      GRANARY_PROBE("a checkpoint is passed over that names another record");
      continue;
    }
    std::map<Lane, LaneCounter> lanes;
    for (const events::CheckpointLane& lane : checkpoint->lanes) {
      const auto hash = hash_from(lane.hash);
      if (!hash || lane.next == 0) return {};
      lanes[{lane.machine, static_cast<std::uint16_t>(lane.shard)}] = {lane.next - 1, *hash};
    }
    GRANARY_PROBE("a scan begins at a checkpoint");
    whole = {std::move(lanes), checkpoint->size};
    return {};
  }
  return {};
}

// The largest number of the stream, wherever it is. An owner of a shard appends number n only after n - 1 is stored,
// and an append that fails leaves no hole. So the first k records hold no number above k: if a scan from some offset on
// finds the number m, a larger one can only be at offset m or after it. Usually only the end is read: if no record is
// stored twice, m is the number of all records. A process that slept for long and wakes may have appended any number of
// old records after the newer ones. Then the scan goes back to offset m; each record that is stored twice makes that
// one record further.
Result<TargetScan::Standing> TargetScan::last_outward(const LaneTarget& target) const {
  const journal::Partition partition = partition_of(target);
  const auto end = journal_.end(partition);
  if (!end.ok()) return end.error();
  const journal::Offset tail = *end > kOutwardTail ? *end - kOutwardTail : 0;
  Standing standing{{}, *end};
  GRANARY_TRY(scan_outward(partition, tail, *end, standing.last));
  if (standing.last.number >= tail) return standing;
  GRANARY_PROBE("the newest number of a stream is hidden behind old ones");
  LaneCounter earlier;
  GRANARY_TRY(scan_outward(partition, standing.last.number, tail, earlier));
  if (earlier.number > standing.last.number) standing.last = earlier;
  return standing;
}

Result<void> TargetScan::scan_outward(const journal::Partition& stream, journal::Offset from, journal::Offset to,
                                      LaneCounter& largest) const {
  journal::ReadBatch batch;
  for (journal::Offset at = from; at < to;) {
    GRANARY_TRY(journal_.read(stream, at, kReadBytes, batch));
    if (batch.records.empty()) break;
    for (const journal::Record& record : batch.records) {
      if (at == to) break;
      const auto number = outward_number(record);
      if (!number)
        return Error{ErrorCode::corrupt,
                     fmt::format("record {} of {}/{} has no ce_id of partition and number; only Granary may write to "
                                 "this topic; hint: find who else does, and restore the topic",
                                 at, stream.topic, stream.number)};
      if (*number >= largest.number)
        largest = {*number, outward_hash_of_value(record.value)};
      else
        GRANARY_PROBE("a stream has an older number after a newer one");
      ++at;
    }
  }
  return {};
}

Result<bool> TargetScan::repeats_agree(const LaneTarget& stream, journal::Offset from, journal::Offset to) const {
  std::map<std::uint64_t, Hash32> said;
  journal::ReadBatch batch;
  for (journal::Offset at = from > kOutwardTail ? from - kOutwardTail : 0; at < to;) {
    GRANARY_TRY(journal_.read(partition_of(stream), at, kReadBytes, batch));
    if (batch.records.empty()) break;
    for (const journal::Record& record : batch.records) {
      const auto hash = outward_hash_of_value(record.value);
      if (said.emplace(outward_number(record).value_or(0), hash).first->second != hash) return false;
      ++at;
    }
  }
  return true;
}

}  // namespace granary::runtime
