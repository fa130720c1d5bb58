#include "shared/shard/shard.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include "shared/base/check.h"
#include "shared/base/crash_point.h"
#include "shared/base/probe.h"
#include "shared/base/version.h"
#include "shared/fold/outward.h"
#include "shared/proof/hash.h"
#include "shared/shard/shard_state.h"

namespace granary::runtime {
namespace {

// What is done in one go, at most: a question to the shard waits for it.
constexpr std::size_t kReadBytes = 512U << 10;
constexpr std::size_t kAppendBytesMax = 1U << 20;
constexpr auto kRetryPause = std::chrono::milliseconds(100);

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::string Shard::marker_path() const {
  return setup_.marker_directory + "/parked-" + name();
}

Result<std::unique_ptr<Shard>> Shard::open(Setup setup, TargetScan& scan) {
  std::unique_ptr<Shard> shard(new Shard(std::move(setup)));
  GRANARY_TRY(shard->start(scan));
  return shard;
}

Result<void> Shard::start(TargetScan& scan) {
  const auto end = setup_.journal->end(inbox_);
  if (!end.ok()) return end.error();
  end_ = *end;
  auto rules = setup_.make_machine(setup_.machine, setup_.shard);
  ShardState state({setup_.states, name(), setup_.marker_directory, rules->row_form(), end_, &log_,
                    [this](std::uint64_t position, const Hash32& hash) { return check_inbox(position, hash); }});
  GRANARY_TRY(state.open());
  for (bool again = false;; again = true) {
    lanes_.clear();
    outbox_bytes_ = 0;
    outbox_packets_ = 0;
    store_ = state.take_store();
    if (!rules) rules = setup_.make_machine(setup_.machine, setup_.shard);
    fold_ = std::make_unique<Fold>(setup_.ledger, setup_.machine, setup_.shard, std::move(rules));
    fold_->open(*store_);
    GRANARY_TRY(check_inbox(fold_->position(), fold_->last_record_hash()));
    const auto whole = recover_lanes(scan);
    if (!whole.ok()) return whole.error();
    if (*whole || again) break;
    GRANARY_PROBE("state that is ahead of its targets is folded again");
    log_.folds_again();
    fold_.reset();
    store_.reset();
    GRANARY_TRY(state.fold_anew());
  }
  if (auto old = state.take_old()) {
    folding_again_ = FoldingAgain{old->position, old->store != nullptr};
    old_store_ = std::move(old->store);
  }
  figures_ = fold_->rules().figures();
  std::ifstream marker(marker_path());
  std::string version;
  std::uint64_t position = 0;
  std::string message;
  if (marker >> version >> position && version == kVersion) park_at_ = position;
  publish_status();
  return {};
}

// Not before no crash can put the new state behind the old one again.
void Shard::delete_old() {
  if (stopped_) return;
  if (const auto done = store_->persist(); !done.ok()) return fail(done.error());
  ShardState::drop_old(*setup_.states, setup_.marker_directory, name(), log_);
}

Result<void> Shard::check_inbox(std::uint64_t position, const Hash32& last_record_hash) const {
  const std::string where = inbox_.topic + "/" + std::to_string(inbox_.number);
  if (position > end_) {
    GRANARY_PROBE("a log is shorter than what was folded from it");
    return Error{
        ErrorCode::corrupt,
        "the journal is shorter than what was folded from it: " + where + " ends at " + std::to_string(end_) +
            ", state stands at " + std::to_string(position) +
            "; hint: restore the journal from its backup, and do not delete the state: it knows what is missing"};
  }
  if (position == 0) return {};
  journal::ReadBatch batch;
  GRANARY_TRY(setup_.journal->read(inbox_, position - 1, 1, batch));
  if (batch.records.empty() || proof::sha256(batch.records.front().value) != last_record_hash) {
    GRANARY_PROBE("the last record that was folded is another one in the log");
    return Error{ErrorCode::corrupt,
                 "record " + std::to_string(position - 1) + " of " + where +
                     " is not the one that was folded; the journal is another one, or was changed; hint: find out "
                     "which is right; if the journal is, delete the state and start again"};
  }
  return {};
}

Result<bool> Shard::recover_lanes(TargetScan& scan) {
  for (OutPacket& packet : read_outbox(*store_)) {
    outbox_bytes_ += packet.bytes.size();
    ++outbox_packets_;
    lanes_[packet.target].outbox.push_back(std::move(packet));
  }
  // Also those that the state knows nothing of: it may have been lost.
  for (const LaneTarget& target :
       machine::lanes_of(setup_.machine, setup_.shard, setup_.ledger.partitions, *setup_.ledger.topology)) {
    Lane& lane = lanes_[target];
    if (const auto value = store_->get(acked_key(target))) lane.acked_end = read_u64(*value);
    // Not from what was acknowledged on: behind another owner's output the reader may have dropped it.
    const auto same = compare_with_target(target, lane, scan, 0);
    if (!same.ok() || !*same) return same;
  }
  return true;
}

Result<bool> Shard::compare_with_target(const LaneTarget& target, Lane& lane, TargetScan& scan, journal::Offset from) {
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
    // Ahead of this shard: only `emitted` is known to be in that state's outbox or acknowledged.
    lane.acked_end = held.number <= emitted ? standing->end : std::min(lane.acked_end, standing->end);
  }
  if (held.number <= emitted) return true;
  GRANARY_PROBE("a target holds more than the state has emitted");
  fold_->set_standing(target, held);
  return true;
}

void Shard::drop_first(const LaneTarget& target, Lane& lane) {
  const OutPacket& packet = lane.outbox.front();
  outbox_bytes_ -= packet.bytes.size();
  --outbox_packets_;
  trims_.push_back(outbox_key(target, packet.first));
  lane.outbox.pop_front();
}

bool Shard::step() {
  if (stopped_) return false;
  retry_failed_lanes();
  publish();
  const bool room = outbox_bytes_ <= setup_.options->outbox_bytes_max;
  if (!room) GRANARY_PROBE("folding pauses for a full outbox");
  if (inbox_grew_ && (!room || !parked_.empty())) {  // nothing is read that would tell
    const auto end = setup_.journal->end(inbox_);
    if (end.ok()) end_ = *end;
  }
  const bool more = parked_.empty() && room && inbox_grew_ && read_and_fold();
  if (stopped_) return false;
  if (fold_->diverged()) {
    GRANARY_PROBE("a fold emits other output than its target holds");
    park(
        "a target holds other output for the same input, by another build or owner; nothing of this is kept or "
        "published");
  }
  const bool due = fold_->counters().events - events_at_commit_ >= setup_.options->commit_events_max ||
                   bytes_since_commit_ >= setup_.options->commit_bytes_max;
  const auto age = std::chrono::steady_clock::now() - committed_at_;
  const bool quiet = !more && age >= setup_.options->commit_pause;
  if (records_since_commit_ > 0 && (due || quiet || age >= setup_.options->commit_age_max)) commit();
  checkpoint_if_due();
  run_waits();
  end_waits_in_vain();
  publish_status();
  return more && parked_.empty();
}

// Folds up to a batch. True: there may be more to read.
bool Shard::read_and_fold() {
  inbox_grew_ = false;
  const auto read = setup_.journal->read(inbox_, fold_->position(), kReadBytes, batch_);
  if (!read.ok()) {
    inbox_grew_ = read.error().can_retry();
    if (!inbox_grew_) {
      fail(read.error());
      return false;
    }
    GRANARY_PROBE("an inbox does not answer and is read again");
    log_.retries(inbox_, read.error());
    return false;
  }
  end_ = std::max(end_, batch_.end);
  if (batch_.records.empty()) return false;
  inbox_grew_ = true;
  const auto start = std::chrono::steady_clock::now();
  for (const journal::Record& record : batch_.records) {
    if (park_at_ == fold_->position()) {
      GRANARY_PROBE("a record that broke a law parks at the next start");
      park("this record broke a law of the fold; see " + marker_path());
      break;
    }
    if (fold_->fold(record.value) == Fold::Step::parked) {
      park(fold_->park_reason());
      break;
    }
    log_.folded(*fold_, record.value);
    ++records_since_commit_;
    bytes_since_commit_ += record.value.size();
    run_jobs();
    if (stopped_) break;
  }
  apply_seconds_ += seconds_since(start);
  return parked_.empty();
}

std::uint64_t Shard::suspect() const {
  return committing_ ? committed() : fold_->position();
}

void Shard::commit() {
  if (fold_->diverged()) return;
  crash_point("runtime.before_commit");
  const auto start = std::chrono::steady_clock::now();
  committing_ = true;
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
  committing_ = false;
  figures_ = fold_->rules().figures();
  committed_at_ = std::chrono::steady_clock::now();
  ++commits_;
  records_since_checkpoint_ += records_since_commit_;
  bytes_since_checkpoint_ += bytes_since_commit_;
  records_since_commit_ = 0;
  bytes_since_commit_ = 0;
  commit_seconds_.observe(seconds_since(start));
  commit_events_.observe(static_cast<double>(fold_->counters().events - events_at_commit_));
  events_at_commit_ = fold_->counters().events;
  setup_.journal->note_folded(inbox_, fold_->position());
  for (OutPacket& packet : ready) {
    outbox_bytes_ += packet.bytes.size();
    ++outbox_packets_;
    lanes_[packet.target].outbox.push_back(std::move(packet));
  }
  if (folding_again_ && committed() >= folding_again_->until) {
    log_.folded_again(committed());
    folding_again_.reset();
    setup_.old_state_passed();
  }
  publish();
}

// Only of what is committed: a checkpoint that is lost costs a longer scan, one that lies would cost events.
void Shard::checkpoint_if_due() {
  const bool due = records_since_checkpoint_ >= setup_.options->checkpoint_records ||
                   bytes_since_checkpoint_ >= setup_.options->checkpoint_bytes;
  if (!due || checkpoint_in_flight_ || records_since_commit_ > 0 || !parked_.empty()) return;
  std::vector<journal::Record> records(1);
  records.front().value = events::encode_record(setup_.ledger.id, fold_->checkpoint());
  records_since_checkpoint_ = 0;
  bytes_since_checkpoint_ = 0;
  checkpoint_in_flight_ = true;
  crash_point("runtime.before_checkpoint");
  setup_.journal->append({std::string(machine::topic_name(Topic::checkpoints)),
                          machine::shard_partition(setup_.machine, setup_.shard, setup_.ledger.partitions)},
                         std::move(records), [this, mailbox = setup_.mailbox](const Result<journal::Offsets>& offsets) {
                           mailbox->post([this, done = offsets.ok() ? Result<void>() : Result<void>(offsets.error())] {
                             checkpoint_in_flight_ = false;
                             if (!done.ok() && !done.error().can_retry()) fail(done.error());
                           });
                         });
  crash_point("runtime.after_checkpoint");
}

void Shard::publish() {
  if (fold_->diverged() || contradicted_) return;
  for (auto& [target, lane] : lanes_) {
    if (lane.outbox.empty() || lane.in_flight > 0 || lane.failed || lane.newer) continue;
    publish_lane(target, lane);
    run_jobs();
    if (stopped_ || contradicted_) return;
  }
}

void Shard::publish_lane(const LaneTarget& target, Lane& lane) {
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
    park("the outbox for " + partition_of(target).topic + " holds an event that this build does not know");
  if (lane.in_flight == 0) return;
  crash_point("runtime.before_publish");
  setup_.journal->append(
      partition_of(target), std::move(records),
      [this, mailbox = setup_.mailbox, target](Result<journal::Offsets> offsets) {
        mailbox->post([this, target, offsets = std::move(offsets)] { acknowledged(target, offsets); });
      });
  crash_point("runtime.after_publish");
}

void Shard::acknowledged(const LaneTarget& target, const Result<journal::Offsets>& offsets) {
  Lane& lane = lanes_[target];
  const std::size_t packets = std::exchange(lane.in_flight, 0);
  if (!offsets.ok()) {
    if (!offsets.error().can_retry()) return fail(offsets.error());
    GRANARY_PROBE("an append to a lane fails and is tried again");
    if (!std::exchange(lane.told, true)) log_.retries(partition_of(target), offsets.error());
    lane.failed = true;
    lane.retry_at = std::chrono::steady_clock::now() + kRetryPause;
    return;
  }
  if (std::exchange(lane.told, false)) log_.answers(partition_of(target));
  if (!machine::is_inbox(target.topic)) {
    look_for_another_owner(target, lane, *offsets);
    lane.stream_end = offsets->back() + 1;
  }
  lane.acked_end = machine::is_inbox(target.topic) ? offsets->back() + 1 : lane.outbox[packets - 1].last;
  for (std::size_t i = 0; i < packets; ++i) drop_first(target, lane);
  crash_point("runtime.trim");
}

// Nobody reads a stream's chain: of two owners that disagree both would be believed.
void Shard::look_for_another_owner(const LaneTarget& stream, const Lane& lane, const journal::Offsets& offsets) {
  if (offsets.back() + 1 - lane.stream_end == offsets.size()) return;
  GRANARY_PROBE("records of another owner stand in a stream");
  const auto agree =
      TargetScan(*setup_.journal, setup_.ledger).repeats_agree(stream, lane.stream_end, offsets.back() + 1);
  if (agree.ok() && *agree) return;
  if (!agree.ok()) return log_.retries(partition_of(stream), agree.error());
  GRANARY_PROBE("two owners of a shard disagree in a stream");
  contradicted_ = true;
  park("another owner of this shard has written other output for the same input to " + partition_of(stream).topic +
       "/" + std::to_string(stream.partition) + "; nothing more of this one is published");
}

void Shard::retry_failed_lanes() {
  for (auto& [target, lane] : lanes_) {
    if (!lane.failed || std::chrono::steady_clock::now() < lane.retry_at) continue;
    // Some of it may stand: look before sending again, so that an outward stream holds no event twice.
    TargetScan scan(*setup_.journal, setup_.ledger);
    const auto same = compare_with_target(target, lane, scan, machine::is_inbox(target.topic) ? lane.acked_end : 0);
    if (!same.ok() && same.error().can_retry()) {
      GRANARY_PROBE("a lane that failed finds the log still away");
      // A log that is away is away for every lane: each question takes its time, and this thread has others to answer.
      lane.retry_at = std::chrono::steady_clock::now() + kRetryPause;
      return;
    }
    if (!same.ok()) return fail(same.error());
    if (!*same) {
      GRANARY_PROBE("a lane that failed finds less than was acknowledged, or other events");
      const journal::Partition partition = partition_of(target);
      return fail({ErrorCode::conflict, partition.topic + "/" + std::to_string(partition.number) +
                                            " holds less than was acknowledged or another's output; hint: start "
                                            "again, the state is then folded anew and compared"});
    }
    lane.failed = false;
  }
}

void Shard::close() {
  if (stopped_) return;
  if (records_since_commit_ == 0 && !trims_.empty())
    GRANARY_PROBE("a shard stops with nothing to commit but an acknowledgement");
  if (records_since_commit_ > 0 || !trims_.empty()) commit();
  stopped_ = true;
  publish_status();
}

void Shard::park(std::string reason) {
  if (!parked_.empty()) return;
  parked_ = std::move(reason);
  log_.parked(fold_->position(), parked_);
}

void Shard::fail(const Error& error) {
  if (stopped_) return;
  stopped_ = true;
  setup_.fatal(Error{error.code, name() + ": " + error.message});
}

bool Shard::meets(const Needs& needs) const {
  if (fold_->position() < needs.position || fold_->rules_version() < needs.rules) return false;
  for (const auto& [lane, number] : needs.lanes)
    if (fold_->folded_from(lane.first, lane.second) < number) return false;
  if (needs.committed && records_since_commit_ > 0) return false;
  if (!needs.published) return true;
  if (committed() < needs.position) return false;
  for (const auto& [target, lane] : lanes_)
    if (!machine::is_inbox(target.topic) && !lane.outbox.empty()) return false;
  return true;
}

std::vector<LaneNumber> Shard::lane_numbers() const {
  std::vector<LaneNumber> numbers;
  for (const auto& [lane, counter] : fold_->out_lanes())
    if (machine::is_inbox(lane.topic) && counter.number > 0)
      numbers.push_back({lane.topic, lane.partition, counter.number});
  return numbers;
}

void Shard::wait(std::weak_ptr<void> alive, std::function<bool(Shard&)> met, std::function<void(Shard&)> done) {
  if (met(*this)) return done(*this);
  waits_.push_back({std::move(alive), std::move(met), std::move(done)});
}

void Shard::wait(std::weak_ptr<void> alive, Needs needs, Met done) {
  if (meets(needs)) return done(lane_numbers());
  const auto told = std::make_shared<Met>(std::move(done));
  const std::uint64_t position = needs.position;
  waits_.push_back({std::move(alive), [needs = std::move(needs)](Shard& one) { return one.meets(needs); },
                    [told](Shard& one) { (*told)(one.lane_numbers()); }, position, [told] { (*told)(std::nullopt); },
                    std::chrono::steady_clock::now() + setup_.options->doubt_after});
}

void Shard::end_waits_in_vain() {
  const auto now = std::chrono::steady_clock::now();
  const auto is_in_doubt = [&](const Wait& wait) {
    return wait.in_vain && wait.position > end_ && wait.doubt_at <= now && !wait.alive.expired();
  };
  if (std::none_of(waits_.begin(), waits_.end(), is_in_doubt)) return;
  const auto end = setup_.journal->end(inbox_);
  if (end.ok()) end_ = std::max(end_, *end);
  std::vector<Wait> in_vain;
  std::erase_if(waits_, [&](Wait& wait) {
    if (!is_in_doubt(wait)) return false;
    wait.doubt_at = now + setup_.options->doubt_after;
    if (!end.ok()) return false;
    GRANARY_PROBE("a wait is for a place behind the end of the log");
    in_vain.push_back(std::move(wait));
    return true;
  });
  for (const Wait& wait : in_vain) wait.in_vain();
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
  status.committed = committed();
  status.end = end_;
  status.now = fold_->now();
  status.complete = fold_->complete();
  status.events = counters.events;
  status.commits = commits_;
  status.repeats_dropped = counters.repeats_dropped;
  status.lane_alarms = counters.lane_alarms;
  status.repeats = counters.repeats;
  status.refusals = counters.refusals;
  status.refusals_by_name = counters.refusals_by_name;
  status.figures = figures_;
  status.outbox_bytes = outbox_bytes_;
  status.outbox_packets = outbox_packets_;
  status.apply_seconds = apply_seconds_;
  status.commit_seconds = commit_seconds_;
  status.commit_events = commit_events_;
  status.parked = parked_;
  status.rules = fold_->rules_version();
  status.folding_again = folding_again_;
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
