// One shard as the runtime runs it: reads its inbox, folds, commits, publishes (publisher.h), writes checkpoints, and
// tells those that wait (waits.h). Which state it goes on with at a start: shard_state.h.
//
// Threads: everything on the owner's thread but last_status(), note_growth() and the snapshots of store(). May touch:
// its store, its inbox, the topics of its lanes and its partition of `checkpoints`, and its marker file, which it
// reads.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "shared/journal/journal.h"
#include "shared/shard/mailbox.h"
#include "shared/shard/needs.h"
#include "shared/shard/options.h"
#include "shared/shard/publisher.h"
#include "shared/shard/shard_log.h"
#include "shared/shard/shard_status.h"
#include "shared/shard/target_scan.h"
#include "shared/shard/waits.h"
#include "shared/store/states.h"

namespace granary::runtime {

class Shard {
 public:
  struct Setup {
    MachineKind machine{};
    std::uint16_t shard = 0;
    Ledger ledger;
    const ShardOptions* options = nullptr;
    journal::Journal* journal = nullptr;
    // Shared, so that an answer may come after the worker has ended.
    std::shared_ptr<Mailbox> mailbox;
    std::function<void()> run_jobs;  // what waits in the mailbox; called between two records
    MakeMachine make_machine;
    store::States* states = nullptr;
    std::string marker_directory;
    // The state that is folded again has reached the position of the old one, which is not needed any more. Called
    // once, on this thread, after the commit that reached it.
    std::function<void()> old_state_passed;
    std::function<void(const Error&)> fatal;
  };

  // Opens the state (shard_state.h), checks it against the journal, finds what the targets hold. State that is ahead of
  // its targets is dropped and folded again; an inbox that is shorter than what was folded, or other, is an error.
  static Result<std::unique_ptr<Shard>> open(Setup setup, TargetScan& scan);

  // Folds up to a batch, commits and publishes if that is due. True: there may be more to do at once.
  bool step();
  // Something is folded that is to be committed within ShardOptions::commit_pause.
  [[nodiscard]] bool owes_commit() const { return records_since_commit_ > 0 && parked_.empty() && !stopped_; }
  // Commits what is folded and publishes what came of it, without waiting for an answer; then sends nothing more.
  void close();
  // The inbox has grown.
  void note_growth() { inbox_grew_ = true; }

  [[nodiscard]] Fold& fold() { return *fold_; }
  [[nodiscard]] const store::Store& store() const { return *store_; }
  // After open(), once: while the state is folded again, the old one, or nullptr if this build cannot read it.
  [[nodiscard]] std::unique_ptr<store::Store> take_old() { return std::move(old_store_); }
  [[nodiscard]] const std::optional<FoldingAgain>& folding_again() const { return folding_again_; }
  // Deletes the old state, which must be closed.
  void delete_old();
  // As far as it is committed: what ask() sees.
  [[nodiscard]] std::uint64_t committed() const { return fold_->position() - records_since_commit_; }
  [[nodiscard]] ShardStatus status() const;
  // As of the last step; any thread.
  [[nodiscard]] ShardStatus last_status() const;
  // The position at which the next start has to stop if a law breaks now, while this shard folds or commits.
  [[nodiscard]] std::uint64_t suspect() const;
  [[nodiscard]] std::string marker_path() const;
  [[nodiscard]] std::string name() const { return name_of({setup_.machine, setup_.shard}); }
  [[nodiscard]] bool meets(const Needs& needs) const;
  [[nodiscard]] std::vector<LaneNumber> lane_numbers() const;
  // Calls `done` on this thread once `met` holds, or never once `alive` is gone.
  void wait(std::weak_ptr<void> alive, std::function<bool(Shard&)> met, std::function<void(Shard&)> done);
  // The same for `needs`: with this shard's lanes, or with nullopt if the inbox ends before the position.
  void wait(std::weak_ptr<void> alive, Needs needs, Met done);

 private:
  explicit Shard(Setup setup);
  Result<void> start(TargetScan& scan);
  Result<void> check_inbox(std::uint64_t position, const Hash32& last_record_hash) const;
  bool read_and_fold();
  void commit();
  [[nodiscard]] bool has_sent_much() const {
    return fold_->bytes_sent() - sent_at_commit_ >= setup_.options->commit_bytes_max;
  }
  // Questions are answered between two records, not after a batch.
  void run_jobs() {
    if (setup_.mailbox->holds_jobs()) setup_.run_jobs();
  }
  void checkpoint_if_due();
  void park(std::string reason);
  void fail(const Error& error);
  void publish_status();

  Setup setup_;
  journal::Partition inbox_;
  ShardLog log_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Store> old_store_;  // until the runtime takes it
  std::optional<FoldingAgain> folding_again_;
  std::unique_ptr<Fold> fold_;
  Publisher publisher_;
  std::vector<machine::Figure> figures_;  // as of the last commit
  std::size_t records_since_commit_ = 0;
  std::size_t bytes_since_commit_ = 0;
  std::uint64_t events_at_commit_ = 0;
  std::uint64_t sent_at_commit_ = 0;  // bytes
  bool unfinished_ = false;           // a record was folded in part since the last commit
  std::size_t records_since_checkpoint_ = 0;
  std::size_t bytes_since_checkpoint_ = 0;
  bool checkpoint_in_flight_ = false;
  bool committing_ = false;
  std::chrono::steady_clock::time_point committed_at_;
  std::uint64_t commits_ = 0;
  double apply_seconds_ = 0;
  telemetry::Histogram commit_seconds_{telemetry::kSecondsBounds};
  telemetry::Histogram commit_events_{telemetry::kEventsBounds};
  std::uint64_t end_ = 0;
  std::string parked_;
  std::optional<std::uint64_t> park_at_;  // a marker says that this record broke a law
  std::atomic<bool> inbox_grew_ = true;
  bool stopped_ = false;
  journal::ReadBatch batch_;
  Waits waits_;
  mutable std::mutex status_mutex_;
  ShardStatus status_;
};

}  // namespace granary::runtime
