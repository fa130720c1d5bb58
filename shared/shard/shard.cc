#include "shared/shard/shard.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "shared/base/check.h"
#include "shared/base/crash_point.h"
#include "shared/base/probe.h"
#include "shared/base/version.h"
#include "shared/proof/hash.h"
#include "shared/shard/shard_state.h"

namespace granary::runtime {
namespace {

// Of one batch. Small, so that the shard publishes and commits often enough while it catches up.
constexpr std::size_t kReadBytes = 512U << 10;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Shard::Shard(Setup setup)
    : setup_(std::move(setup)),
      inbox_{std::string(machine::topic_name(machine::inbox_of(setup_.machine))), setup_.shard},
      log_(inbox_, setup_.machine, setup_.shard),
      publisher_({setup_.machine, setup_.shard, setup_.ledger, setup_.journal, setup_.mailbox, &log_,
                  [this] { run_jobs(); }, [this](std::string reason) { park(std::move(reason)); },
                  [this](const Error& error) { fail(error); }}) {}

std::string Shard::marker_path() const {
  return fmt::format("{}/parked-{}", setup_.marker_directory, name());
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
    store_ = state.take_store();
    if (!rules) rules = setup_.make_machine(setup_.machine, setup_.shard);
    fold_ = std::make_unique<Fold>(setup_.ledger, setup_.machine, setup_.shard, std::move(rules));
    fold_->set_step_bytes(setup_.options->step_bytes);
    fold_->open(*store_);
    GRANARY_TRY(check_inbox(fold_->position(), fold_->last_record_hash()));
    const auto whole = publisher_.recover(*store_, *fold_, scan);
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

// The new state is made durable first: after a crash it must not be behind the old one again.
void Shard::delete_old() {
  if (stopped_) return;
  if (const auto done = store_->persist(); !done.ok()) return fail(done.error());
  ShardState::drop_old(*setup_.states, setup_.marker_directory, name(), log_);
}

Result<void> Shard::check_inbox(std::uint64_t position, const Hash32& last_record_hash) const {
  const std::string where = fmt::format("{}/{}", inbox_.topic, inbox_.number);
  if (position > end_) {
    GRANARY_PROBE("a log is shorter than what was folded from it");
    return Error{
        ErrorCode::corrupt,
        fmt::format("the journal is shorter than what was folded from it: {} ends at {}, the state has folded {}; "
                    "hint: restore the journal from its backup, and do not delete the state: it knows what is missing",
                    where, end_, position)};
  }
  if (position == 0) return {};
  journal::ReadBatch batch;
  GRANARY_TRY(setup_.journal->read(inbox_, position - 1, 1, batch));
  if (batch.records.empty() || proof::sha256(batch.records.front().value) != last_record_hash) {
    GRANARY_PROBE("the last record that was folded is another one in the log");
    return Error{
        ErrorCode::corrupt,
        fmt::format("record {} of {} is not the one that was folded; the journal is another one, or was changed; hint: "
                    "find out which is right; if the journal is, delete the state and start again",
                    position - 1, where)};
  }
  return {};
}

bool Shard::step() {
  if (stopped_) return false;
  publisher_.retry_failed_lanes();
  publisher_.publish();
  const bool room = publisher_.outbox_bytes() <= setup_.options->outbox_bytes_max;
  if (!room) GRANARY_PROBE("folding pauses for a full outbox");
  if (inbox_grew_ && (!room || !parked_.empty())) {  // the inbox is not read, which would tell its end
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
                   bytes_since_commit_ >= setup_.options->commit_bytes_max || has_sent_much();
  const auto age = std::chrono::steady_clock::now() - committed_at_;
  const bool quiet = !more && age >= setup_.options->commit_pause;
  const bool folded = records_since_commit_ > 0 && (due || quiet || age >= setup_.options->commit_age_max);
  if (folded || unfinished_) commit();
  checkpoint_if_due();
  waits_.run(*this);
  waits_.end_in_vain(end_, setup_.options->doubt_after, [this] { return setup_.journal->end(inbox_); });
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
    const Fold::Step step = fold_->fold(record.value);
    if (step == Fold::Step::parked) {
      park(fold_->park_reason());
      break;
    }
    unfinished_ = step == Fold::Step::unfinished;  // the record is read again once what it sent is committed
    if (unfinished_) break;
    log_.folded(*fold_, record.value);
    ++records_since_commit_;
    bytes_since_commit_ += record.value.size();
    run_jobs();
    if (stopped_ || has_sent_much()) break;
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
  publisher_.flush(rows);
  if (const auto done = store_->commit(rows); !done.ok()) return fail(done.error());
  crash_point("runtime.after_commit");
  fold_->committed();
  committing_ = false;
  unfinished_ = false;
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
  sent_at_commit_ = fold_->bytes_sent();
  setup_.journal->note_folded(inbox_, fold_->position());
  publisher_.add(ready);
  if (folding_again_ && committed() >= folding_again_->until) {
    log_.folded_again(committed());
    folding_again_.reset();
    setup_.old_state_passed();
  }
  publisher_.publish();
}

// Only of what is committed. A checkpoint that is lost costs a longer scan; one that is ahead would cost events.
void Shard::checkpoint_if_due() {
  const bool due = records_since_checkpoint_ >= setup_.options->checkpoint_records ||
                   bytes_since_checkpoint_ >= setup_.options->checkpoint_bytes;
  if (!due || checkpoint_in_flight_ || records_since_commit_ > 0 || fold_->is_unfinished() || !parked_.empty()) return;
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

void Shard::close() {
  if (stopped_) return;
  if (records_since_commit_ == 0 && publisher_.owes_flush())
    GRANARY_PROBE("a shard stops with nothing to commit but an acknowledgement");
  if (records_since_commit_ > 0 || unfinished_ || publisher_.owes_flush()) commit();
  stopped_ = true;
  publisher_.stop();
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
  publisher_.stop();
  setup_.fatal(Error{error.code, fmt::format("{}: {}", name(), error.message)});
}

bool Shard::meets(const Needs& needs) const {
  if (fold_->position() < needs.position || fold_->rules_version() < needs.rules) return false;
  for (const auto& [lane, number] : needs.lanes)
    if (fold_->folded_from(lane.first, lane.second) < number || fold_->owes(lane.first, lane.second, number))
      return false;
  if (needs.committed && records_since_commit_ > 0) return false;
  if (!needs.published) return true;
  return committed() >= needs.position && publisher_.streams_are_out();
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
  waits_.add(std::move(alive), std::move(met), std::move(done));
}

void Shard::wait(std::weak_ptr<void> alive, Needs needs, Met done) {
  if (meets(needs)) return done(lane_numbers());
  waits_.add(std::move(alive), std::move(needs), std::move(done), setup_.options->doubt_after);
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
  status.outbox_bytes = publisher_.outbox_bytes();
  status.outbox_packets = publisher_.outbox_packets();
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
