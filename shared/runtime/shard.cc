#include "shared/runtime/shard.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "shared/base/check.h"
#include "shared/base/crash_point.h"
#include "shared/proof/hash.h"
#include "shared/runtime/outward.h"
#include "shared/runtime/version.h"

namespace granary::runtime {
namespace {

constexpr std::size_t kReadBytes = 1U << 20;
constexpr std::string_view kAckedKey = "mA";

Bytes acked_key(const LaneTarget& target) {
  Bytes key(kAckedKey);
  append_u8(key, static_cast<std::uint8_t>(target.topic));
  append_u16(key, target.partition);
  return key;
}

journal::Partition partition_of(const LaneTarget& target) {
  return {std::string(machine::topic_name(target.topic)), target.partition};
}

}  // namespace

void Mailbox::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    woken_ = true;
  }
  changed_.notify_one();
}

void Mailbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

std::vector<Mailbox::Job> Mailbox::take(std::int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  if (wait_ms > 0) changed_.wait_for(lock, std::chrono::milliseconds(wait_ms), [this] { return woken_; });
  woken_ = false;
  return std::exchange(jobs_, {});
}

std::string Shard::name() const {
  return std::string(machine::machine_name(setup_.machine)) + "-" + std::to_string(setup_.shard);
}

std::string Shard::marker_path() const {
  return setup_.marker_directory + "/parked-" + name();
}

Result<std::unique_ptr<Shard>> Shard::open(Setup setup, TargetScan& scan) {
  std::unique_ptr<Shard> shard(new Shard(std::move(setup)));
  GRANARY_TRY(shard->start(scan));
  return shard;
}

Result<void> Shard::start(TargetScan& scan) {
  inbox_ = {std::string(machine::topic_name(machine::inbox_of(setup_.machine))), setup_.shard};
  const auto end = setup_.journal->end(inbox_);
  if (!end.ok()) return end.error();
  end_ = *end;
  for (const bool wipe : {false, true}) {
    fold_.reset();
    store_.reset();
    lanes_.clear();
    outbox_bytes_ = 0;
    auto store = setup_.open_store(setup_.machine, setup_.shard, wipe);
    if (!store.ok()) return store.error();
    store_ = std::move(*store);
    fold_ = std::make_unique<Fold>(setup_.machine, setup_.shard, setup_.options->partitions,
                                   setup_.make_machine(setup_.machine, setup_.shard));
    fold_->open(*store_);
    GRANARY_TRY(check_inbox());
    const auto whole = recover_lanes(scan);
    if (!whole.ok()) return whole.error();
    if (*whole) break;
  }
  std::ifstream marker(marker_path());
  std::string version;
  std::uint64_t position = 0;
  std::string message;
  if (marker >> version >> position && version == kVersion) park_at_ = position;
  publish_status();
  return {};
}

Result<void> Shard::check_inbox() const {
  const std::uint64_t position = fold_->position();
  const std::string where = inbox_.topic + "/" + std::to_string(inbox_.number);
  if (position > end_) {
    return Error{ErrorCode::corrupt,
                 "the journal is shorter than what was folded from it: " + where + " ends at " + std::to_string(end_) +
                     ", state stands at " + std::to_string(position) +
                     "; hint: restore the journal from its backup; the state can be deleted, the journal is the truth"};
  }
  if (position == 0) return {};
  journal::ReadBatch batch;
  GRANARY_TRY(setup_.journal->read(inbox_, position - 1, 1, batch));
  if (batch.records.empty() || proof::sha256(batch.records.front().value) != fold_->last_record_hash()) {
    return Error{ErrorCode::corrupt,
                 "record " + std::to_string(position - 1) + " of " + where +
                     " is not the one that was folded; the journal is another one, or was changed; hint: find out "
                     "which is right; if the journal is, delete the state and start again"};
  }
  return {};
}

Result<bool> Shard::recover_lanes(TargetScan& scan) {
  for (OutPacket& packet : read_outbox(*store_)) lanes_[packet.target].unsent.push_back(std::move(packet));
  // A lane that this shard may have: those it knows, and after a loss of state all that its machine can write to.
  std::vector<LaneTarget> targets;
  for (const Topic topic : machine::kTopics) {
    bool writes = topic == Topic::rejected || (topic == Topic::billing && setup_.machine == MachineKind::billing) ||
                  (topic == Topic::notices && setup_.machine == MachineKind::allocation);
    for (const MachineKind writer : machine::is_inbox(topic) ? machine::writers_of(topic) : std::vector<MachineKind>{})
      writes |= writer == setup_.machine;
    if (!writes) continue;
    if (topic == Topic::rejected) {
      targets.push_back({topic, machine::rejected_partition(setup_.machine, setup_.shard, setup_.options->partitions)});
    } else if (!machine::is_inbox(topic)) {
      targets.push_back({topic, setup_.shard});
    } else {
      for (std::uint16_t p = 0; p < machine::partitions_of(topic, setup_.options->partitions); ++p)
        targets.push_back({topic, p});
    }
  }
  for (const LaneTarget& target : targets) {
    Lane& lane = lanes_[target];
    if (const auto value = store_->get(acked_key(target))) lane.acked_end = read_u64(*value);
    auto standing = scan.last_of(setup_.machine, setup_.shard, target, lane.acked_end);
    if (!standing.ok()) return standing.error();
    const auto counter = fold_->out_lanes().find(target);
    const std::uint64_t emitted = counter == fold_->out_lanes().end() ? 0 : counter->second.number;
    const std::uint64_t outbox_first = lane.unsent.empty() ? emitted + 1 : lane.unsent.front().first;
    // Where nothing stands behind the acknowledged offset, what was acknowledged before it does.
    const std::uint64_t held = standing->number == 0 && lane.acked_end > 0 ? outbox_first - 1 : standing->number;
    if (held + 1 < outbox_first) return false;
    if (standing->number > emitted) fold_->set_standing(target, *standing);
    while (!lane.unsent.empty() && lane.unsent.front().last <= held) {
      trims_.push_back(outbox_key(target, lane.unsent.front().first));
      lane.unsent.pop_front();
    }
    for (const OutPacket& packet : lane.unsent) outbox_bytes_ += packet.bytes.size();
    // Events that stand already are not sent twice on an outward stream; in an inbox their reader drops them.
    if (!lane.unsent.empty() && !machine::is_inbox(target.topic)) lane.acked_end = held;
  }
  return true;
}

bool Shard::step() {
  if (stopped_) return false;
  retry_failed_lanes();
  publish();
  const bool room = outbox_bytes_ <= setup_.options->outbox_bytes_max;
  bool more = false;
  if (parked_.empty() && room && inbox_grew_) {
    inbox_grew_ = false;
    const auto read = setup_.journal->read(inbox_, fold_->position(), kReadBytes, batch_);
    if (!read.ok()) {
      inbox_grew_ = read.error().can_retry();
      if (!inbox_grew_) fail(read.error());
      return false;
    }
    for (const journal::Record& record : batch_.records) {
      if (park_at_ == fold_->position()) {
        park("this record broke a law of the fold; see " + marker_path());
        break;
      }
      if (fold_->fold(record.value) == Fold::Step::parked) {
        park(fold_->park_reason());
        break;
      }
      ++records_since_commit_;
      bytes_since_commit_ += record.value.size();
    }
    more = !batch_.records.empty() && parked_.empty();
    if (more) inbox_grew_ = true;
    end_ = std::max(end_, fold_->position());
  }
  if (fold_->counters().diverged) {
    park("a target holds other output for the same input: two builds or two owners disagree");
    more = false;
  }
  const bool due = records_since_commit_ >= setup_.options->commit_events_max ||
                   bytes_since_commit_ >= setup_.options->commit_bytes_max;
  if (records_since_commit_ > 0 && (due || !more)) commit();
  run_waits();
  publish_status();
  return more && room;
}

void Shard::commit() {
  crash_point("runtime.before_commit");
  store::WriteSet rows;
  std::vector<OutPacket> ready;
  fold_->flush(rows, ready);
  for (Bytes& key : trims_) rows.erase(std::move(key));
  trims_.clear();
  for (const auto& [target, lane] : lanes_) {
    if (lane.acked_end == 0 || !machine::is_inbox(target.topic)) continue;
    Bytes end;
    append_u64(end, lane.acked_end);
    rows.put(acked_key(target), std::move(end));
  }
  if (const auto done = store_->commit(rows); !done.ok()) return fail(done.error());
  crash_point("runtime.after_commit");
  fold_->committed();
  ++commits_;
  records_since_commit_ = 0;
  bytes_since_commit_ = 0;
  for (OutPacket& packet : ready) {
    outbox_bytes_ += packet.bytes.size();
    lanes_[packet.target].unsent.push_back(std::move(packet));
  }
  publish();
}

void Shard::publish() {
  if (fold_->counters().diverged) return;
  for (auto& [target, lane] : lanes_)
    if (!lane.unsent.empty() && !lane.failed) publish_lane(target, lane);
}

void Shard::publish_lane(const LaneTarget& target, Lane& lane) {
  std::vector<journal::Record> records;
  const std::uint64_t first = lane.unsent.front().first;
  const std::uint64_t last = lane.unsent.back().last;
  const bool outward = !machine::is_inbox(target.topic);
  for (OutPacket& packet : lane.unsent) {
    if (outward) {
      // For an outward lane acked_end counts events: what stands there is not sent again.
      for (auto& record : outward_records(packet, lane.acked_end + 1, setup_.ledger))
        records.push_back(std::move(record));
    } else {
      journal::Record& record = records.emplace_back();
      record.value = packet.bytes;
    }
    lane.sent.push_back(std::move(packet));
  }
  lane.unsent.clear();
  lane.in_flight.emplace_back(first, last);
  crash_point("runtime.before_publish");
  const std::size_t count = records.size();
  setup_.journal->append(
      partition_of(target), std::move(records),
      [this, mailbox = setup_.mailbox, target, last, count](Result<journal::Offset> done) {
        mailbox->post([this, target, last, count, done = std::move(done)] { acknowledged(target, last, done, count); });
      });
  crash_point("runtime.after_publish");
}

void Shard::acknowledged(const LaneTarget& target, std::uint64_t last, Result<journal::Offset> first,
                         std::size_t records) {
  Lane& lane = lanes_[target];
  lane.in_flight.pop_front();
  if (!first.ok() || lane.failed) {
    // Nothing behind a failed append counts: all of it is sent again, in order, once nothing is in flight.
    lane.failed = true;
    if (!first.ok() && !first.error().can_retry()) fail(first.error());
    return;
  }
  lane.acked_end = machine::is_inbox(target.topic) ? *first + records : last;
  while (!lane.sent.empty() && lane.sent.front().last <= last) {
    outbox_bytes_ -= lane.sent.front().bytes.size();
    trims_.push_back(outbox_key(target, lane.sent.front().first));
    lane.sent.pop_front();
  }
  crash_point("runtime.trim");
}

void Shard::retry_failed_lanes() {
  for (auto& [target, lane] : lanes_) {
    if (!lane.failed || !lane.in_flight.empty()) continue;
    // Some of it may stand: look before sending again, so that an outward stream holds no event twice.
    TargetScan scan(*setup_.journal);
    const auto standing =
        scan.last_of(setup_.machine, setup_.shard, target, machine::is_inbox(target.topic) ? lane.acked_end : 0);
    if (!standing.ok()) continue;
    for (auto packet = lane.sent.rbegin(); packet != lane.sent.rend(); ++packet)
      lane.unsent.push_front(std::move(*packet));
    lane.sent.clear();
    while (!lane.unsent.empty() && lane.unsent.front().last <= standing->number) {
      outbox_bytes_ -= lane.unsent.front().bytes.size();
      trims_.push_back(outbox_key(target, lane.unsent.front().first));
      lane.unsent.pop_front();
    }
    if (!machine::is_inbox(target.topic)) lane.acked_end = std::max(lane.acked_end, standing->number);
    lane.failed = false;
  }
}

void Shard::close() {
  if (stopped_) return;
  if (records_since_commit_ > 0 || !trims_.empty()) commit();
  stopped_ = true;
  publish_status();
}

void Shard::park(std::string reason) {
  if (!parked_.empty()) return;
  parked_ = std::move(reason);
  std::fprintf(
      stderr,
      "granary: %s/%u is parked at record %llu: %s. The rest serves; hint: start a build that knows the way on\n",
      inbox_.topic.c_str(), static_cast<unsigned>(inbox_.number), static_cast<unsigned long long>(fold_->position()),
      parked_.c_str());
}

void Shard::fail(const Error& error) {
  if (stopped_) return;
  stopped_ = true;
  setup_.fatal(Error{error.code, name() + ": " + error.message});
}

void Shard::wait(std::weak_ptr<void> alive, std::function<bool(Shard&)> met, std::function<void(Shard&)> done) {
  if (met(*this)) return done(*this);
  waits_.push_back({std::move(alive), std::move(met), std::move(done)});
}

void Shard::run_waits() {
  std::vector<Wait> due;
  std::erase_if(waits_, [&](Wait& wait) {
    if (wait.alive.expired()) return true;
    if (!wait.met(*this)) return false;
    due.push_back(std::move(wait));
    return true;
  });
  for (const Wait& wait : due) wait.done(*this);
}

ShardStatus Shard::status() const {
  const Fold::Counters& counters = fold_->counters();
  ShardStatus status;
  status.machine = setup_.machine;
  status.shard = setup_.shard;
  status.position = fold_->position();
  status.committed = fold_->position() - records_since_commit_;
  status.end = end_;
  status.now = fold_->now();
  status.complete = fold_->complete();
  status.events = counters.events;
  status.commits = commits_;
  status.repeats_dropped = counters.repeats_dropped;
  status.lane_alarms = counters.lane_alarms;
  status.refusals = counters.refusals;
  status.outbox_bytes = outbox_bytes_;
  status.parked = parked_;
  return status;
}

void Shard::publish_status() {
  const std::lock_guard lock(status_mutex_);
  status_ = status();
}

ShardStatus Shard::last_status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

}  // namespace granary::runtime
