#include "shared/shard/publisher.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "shared/base/crash_point.h"
#include "shared/base/probe.h"
#include "shared/fold/outward.h"
#include "shared/proof/hash.h"

namespace granary::runtime {
namespace {

// Of one append of a lane. A question to the shard waits while one append is prepared.
constexpr std::size_t kAppendBytesMax = 1U << 20;
// A target that has refused an append needs some time to recover, and each attempt costs the shard's thread a read.
constexpr auto kRetryPause = std::chrono::milliseconds(100);

}  // namespace

Result<bool> Publisher::recover(const store::View& rows, Fold& fold, TargetScan& scan) {
  fold_ = &fold;
  lanes_.clear();
  outbox_bytes_ = 0;
  outbox_packets_ = 0;
  for (OutPacket& packet : read_outbox(rows)) {
    outbox_bytes_ += packet.bytes.size();
    ++outbox_packets_;
    lanes_[packet.target].outbox.push_back(std::move(packet));
  }
  // Also lanes that the state does not know: the state may have been lost.
  for (const LaneTarget& target :
       machine::lanes_of(setup_.machine, setup_.shard, setup_.ledger.partitions, *setup_.ledger.topology)) {
    Lane& lane = lanes_[target];
    if (const auto value = rows.get(acked_key(target))) lane.acked_end = read_u64(*value);
    const auto same = compare_with_target(target, lane, scan, 0);
    if (!same.ok() || !*same) return same;
  }
  return true;
}

Result<bool> Publisher::compare_with_target(const LaneTarget& target, Lane& lane, TargetScan& scan,
                                            journal::Offset from) {
  const bool outward = !machine::is_inbox(target.topic);
  const auto counter = fold_->out_lanes().find(target);
  LaneCounter at{0, chain_start(setup_.ledger.id, setup_.machine, setup_.shard, target.topic, target.partition)};
  if (counter != fold_->out_lanes().end()) at = counter->second;
  const std::uint64_t emitted = at.number;
  if (!lane.outbox.empty())
    at = {lane.outbox.front().first - 1, PacketView::parse(events::body_of(lane.outbox.front().bytes))->before};
  const auto standing = scan.last_of(setup_.machine, setup_.shard, target, at, from);
  if (!standing.ok()) return standing.error();
  const LaneCounter& held = standing->last;
  if (held.number < at.number) return false;
  for (auto packet = lane.outbox.begin(); packet != lane.outbox.end() && at.number < held.number; ++packet) {
    auto view = PacketView::parse(events::body_of(packet->bytes));
    GRANARY_PROBE("a target holds what the outbox still has");
    while (at.number < held.number) {
      const auto event = view->next();
      if (!event) break;
      at = {at.number + 1, proof::chain(at.hash, *event)};
    }
  }
  if (!outward && at.number == held.number && at.hash != held.hash) {
    GRANARY_PROBE("a target holds other events under the outbox's numbers");
    return false;
  }
  while (!lane.outbox.empty() && lane.outbox.front().last <= held.number) drop_first(target, lane);
  if (outward) {
    lane.acked_end = held.number;
    lane.stream_end = standing->end;
  } else {
    // The target is ahead of this state. Only events up to `emitted` are in the outbox or acknowledged, so keep the
    // older end.
    lane.acked_end = held.number <= emitted ? standing->end : std::min(lane.acked_end, standing->end);
  }
  if (held.number <= emitted) return true;
  GRANARY_PROBE("a target holds more than the state has emitted");
  fold_->set_standing(target, held);
  return true;
}

void Publisher::drop_first(const LaneTarget& target, Lane& lane) {
  const OutPacket& packet = lane.outbox.front();
  outbox_bytes_ -= packet.bytes.size();
  --outbox_packets_;
  trims_.push_back(outbox_key(target, packet.first));
  lane.outbox.pop_front();
}

void Publisher::publish() {
  if (fold_->diverged() || contradicted_) return;
  for (auto& [target, lane] : lanes_) {
    if (lane.outbox.empty() || lane.in_flight > 0 || lane.failed || lane.newer) continue;
    publish_lane(target, lane);
    setup_.run_jobs();
    if (stopped_ || contradicted_) return;
  }
}

void Publisher::publish_lane(const LaneTarget& target, Lane& lane) {
  std::vector<journal::Record> records;
  std::size_t bytes = 0;
  for (const OutPacket& packet : lane.outbox) {
    if (bytes > kAppendBytesMax) {
      GRANARY_PROBE("an outbox takes more than one append");
      break;
    }
    bytes += packet.bytes.size();
    ++lane.in_flight;
    if (machine::is_inbox(target.topic)) {
      records.emplace_back().value = packet.bytes;
    } else {
      auto made = outward_records(packet, lane.acked_end + 1, setup_.ledger.id);
      if (!made) {
        GRANARY_PROBE("an outbox holds what only a newer build can publish");
        --lane.in_flight;
        lane.newer = true;
        break;
      }
      std::move(made->begin(), made->end(), std::back_inserter(records));
    }
  }
  if (lane.newer)
    setup_.park(
        fmt::format("the outbox for {} holds an event that this build does not know", partition_of(target).topic));
  if (lane.in_flight == 0) return;
  crash_point("runtime.before_publish");
  setup_.journal->append(
      partition_of(target), std::move(records),
      [this, mailbox = setup_.mailbox, target](Result<journal::Offsets> offsets) {
        mailbox->post([this, target, offsets = std::move(offsets)] { acknowledged(target, offsets); });
      });
  crash_point("runtime.after_publish");
}

void Publisher::acknowledged(const LaneTarget& target, const Result<journal::Offsets>& offsets) {
  Lane& lane = lanes_[target];
  const std::size_t packets = std::exchange(lane.in_flight, 0);
  if (!offsets.ok()) {
    if (!offsets.error().can_retry()) return setup_.fail(offsets.error());
    GRANARY_PROBE("an append to a lane fails and is tried again");
    if (!std::exchange(lane.told, true)) setup_.log->retries(partition_of(target), offsets.error());
    lane.failed = true;
    lane.retry_at = std::chrono::steady_clock::now() + kRetryPause;
    return;
  }
  if (std::exchange(lane.told, false)) setup_.log->answers(partition_of(target));
  if (!machine::is_inbox(target.topic)) {
    look_for_another_owner(target, lane, *offsets);
    lane.stream_end = offsets->back() + 1;
  }
  lane.acked_end = machine::is_inbox(target.topic) ? offsets->back() + 1 : lane.outbox[packets - 1].last;
  for (std::size_t i = 0; i < packets; ++i) drop_first(target, lane);
  crash_point("runtime.trim");
}

// A stream's readers do not check its chain: they would believe both of two owners that disagree.
void Publisher::look_for_another_owner(const LaneTarget& stream, const Lane& lane, const journal::Offsets& offsets) {
  if (offsets.back() + 1 - lane.stream_end == offsets.size()) return;
  GRANARY_PROBE("a stream has records of another owner");
  const auto agree =
      TargetScan(*setup_.journal, setup_.ledger).repeats_agree(stream, lane.stream_end, offsets.back() + 1);
  if (agree.ok() && *agree) return;
  if (!agree.ok()) return setup_.log->retries(partition_of(stream), agree.error());
  GRANARY_PROBE("two owners of a shard disagree in a stream");
  contradicted_ = true;
  setup_.park(
      fmt::format("another owner of this shard has written other output for the same input to {}/{}; nothing more of "
                  "this one is published",
                  partition_of(stream).topic, stream.partition));
}

void Publisher::retry_failed_lanes() {
  for (auto& [target, lane] : lanes_) {
    if (!lane.failed || std::chrono::steady_clock::now() < lane.retry_at) continue;
    // A part of the append may be stored. Read the target before sending again, so that a stream has no event twice.
    TargetScan scan(*setup_.journal, setup_.ledger);
    const auto same = compare_with_target(target, lane, scan, machine::is_inbox(target.topic) ? lane.acked_end : 0);
    if (!same.ok() && same.error().can_retry()) {
      GRANARY_PROBE("a lane that failed finds the log still away");
      // A log that is away is away for every lane. Each attempt takes time, and this thread has questions to answer.
      lane.retry_at = std::chrono::steady_clock::now() + kRetryPause;
      return;
    }
    if (!same.ok()) return setup_.fail(same.error());
    if (!*same) {
      GRANARY_PROBE("a lane that failed finds less than was acknowledged, or other events");
      const journal::Partition partition = partition_of(target);
      return setup_.fail(
          {ErrorCode::conflict, fmt::format("{}/{} holds less than was acknowledged or another's output; hint: start "
                                            "again: the state is then folded again and compared",
                                            partition.topic, partition.number)});
    }
    lane.failed = false;
  }
}

void Publisher::add(std::vector<OutPacket>& ready) {
  for (OutPacket& packet : ready) {
    outbox_bytes_ += packet.bytes.size();
    ++outbox_packets_;
    lanes_[packet.target].outbox.push_back(std::move(packet));
  }
}

void Publisher::flush(store::WriteSet& rows) {
  for (Bytes& key : trims_) rows.erase(std::move(key));
  trims_.clear();
  for (const auto& [target, lane] : lanes_) {
    if (lane.acked_end == 0 || !machine::is_inbox(target.topic)) continue;
    Bytes end;
    append_u64(end, lane.acked_end);
    rows.put(acked_key(target), std::move(end));
  }
}

bool Publisher::streams_are_out() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    return machine::is_inbox(lane.first.topic) || lane.second.outbox.empty();
  });
}

}  // namespace granary::runtime
