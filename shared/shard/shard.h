// One shard as the runtime runs it: a Fold with its store, its inbox and the targets of its lanes.
//
// Threads: everything on the owner's thread but last_status(), note_growth() and the snapshots of store().
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "shared/journal/journal.h"
#include "shared/shard/mailbox.h"
#include "shared/shard/needs.h"
#include "shared/shard/options.h"
#include "shared/shard/shard_log.h"
#include "shared/shard/shard_status.h"
#include "shared/shard/target_scan.h"
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
    // Shared, so that an answer that comes after the worker has gone harms nobody.
    std::shared_ptr<Mailbox> mailbox;
    std::function<void()> run_jobs;  // what waits in the mailbox; this shard stands between two records then
    MakeMachine make_machine;
    store::States* states = nullptr;
    std::string marker_directory;
    // The state, folded again, has come as far as the old one stood, which is of no use any more. On this thread, once,
    // with the commit that did it.
    std::function<void()> old_state_passed;
    std::function<void(const Error&)> fatal;
  };

  // Opens the state (shard_state.h), checks it against the journal, finds what the targets hold. State that is ahead of
  // its targets is dropped and folded again; an inbox that is shorter than what was folded, or other, is an error.
  static Result<std::unique_ptr<Shard>> open(Setup setup, TargetScan& scan);

  // Folds up to a batch, commits and publishes where due. True: there may be more to do at once.
  bool step();
  // Something is folded that is to be committed within ShardOptions::commit_pause.
  [[nodiscard]] bool owes_commit() const { return records_since_commit_ > 0 && parked_.empty() && !stopped_; }
  // Commits what is folded; sends nothing more.
  void close();
  // The inbox has grown.
  void note_growth() { inbox_grew_ = true; }

  [[nodiscard]] Fold& fold() { return *fold_; }
  [[nodiscard]] const store::Store& store() const { return *store_; }
  // After open(), once: while the state is folded again, the old one, or nullptr if this build cannot read it.
  [[nodiscard]] std::unique_ptr<store::Store> take_old() { return std::move(old_store_); }
  [[nodiscard]] const std::optional<FoldingAgain>& folding_again() const { return folding_again_; }
  // The old state is closed and of no use any more.
  void delete_old();
  // As far as it is committed: what ask() sees.
  [[nodiscard]] std::uint64_t committed() const { return fold_->position() - records_since_commit_; }
  [[nodiscard]] ShardStatus status() const;
  // As of the last step; any thread.
  [[nodiscard]] ShardStatus last_status() const;
  // Of a law that breaks while this shard folds or commits: where a next start has to stop.
  [[nodiscard]] std::uint64_t suspect() const;
  [[nodiscard]] std::string marker_path() const;
  [[nodiscard]] std::string name() const { return name_of({setup_.machine, setup_.shard}); }
  [[nodiscard]] bool meets(const Needs& needs) const;
  [[nodiscard]] std::vector<LaneNumber> lane_numbers() const;
  // Calls `done` on this thread once `met` holds, or never once `alive` is gone.
  void wait(std::weak_ptr<void> alive, std::function<bool(Shard&)> met, std::function<void(Shard&)> done);
  // The same for `needs`: with this shard's lanes, or with nullopt where the inbox ends before the position.
  void wait(std::weak_ptr<void> alive, Needs needs, Met done);

 private:
  // One append of a lane is under way at a time: of two, the first could fail and the second stand, and an outward
  // stream would have a hole.
  struct Lane {
    std::deque<OutPacket> outbox;  // in order
    std::size_t in_flight = 0;     // so many at its front are being appended
    // An inbox: an offset at which all before the outbox stood there. An outward stream: the last number there.
    std::uint64_t acked_end = 0;
    std::uint64_t stream_end = 0;  // of an outward stream, in records, when it was last looked at or written to
    bool failed = false;
    bool newer = false;  // its outbox begins with what only a newer build can write as a record
    bool told = false;   // the operator, since it last succeeded
    std::chrono::steady_clock::time_point retry_at;  // no earlier, where it failed
  };

  explicit Shard(Setup setup)
      : setup_(std::move(setup)),
        inbox_{std::string(machine::topic_name(machine::inbox_of(setup_.machine))), setup_.shard},
        log_(inbox_, setup_.machine, setup_.shard) {}
  Result<void> start(TargetScan& scan);
  Result<bool> recover_lanes(TargetScan& scan);  // false: state must be folded again
  Result<void> check_inbox(std::uint64_t position, const Hash32& last_record_hash) const;
  // Looks from `from` on, or from the newest checkpoint (0), what the target holds of a lane and drops that from the
  // outbox. false: less than was acknowledged, or other output than this shard's.
  Result<bool> compare_with_target(const LaneTarget& target, Lane& lane, TargetScan& scan, journal::Offset from);
  void drop_first(const LaneTarget& target, Lane& lane);
  bool read_and_fold();
  void commit();
  // Questions are answered between two records, not after a batch.
  void run_jobs() {
    if (setup_.mailbox->holds_jobs()) setup_.run_jobs();
  }
  void publish();
  void publish_lane(const LaneTarget& target, Lane& lane);
  void checkpoint_if_due();
  // Whether what another owner wrote to the stream meanwhile, if anything, agrees with what this shard has.
  void look_for_another_owner(const LaneTarget& stream, const Lane& lane, const journal::Offsets& offsets);
  void acknowledged(const LaneTarget& target, const Result<journal::Offsets>& offsets);
  void retry_failed_lanes();
  void park(std::string reason);
  void fail(const Error& error);
  void run_waits();
  void end_waits_in_vain();
  void publish_status();

  Setup setup_;
  journal::Partition inbox_;
  ShardLog log_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Store> old_store_;  // until the runtime takes it
  std::optional<FoldingAgain> folding_again_;
  std::unique_ptr<Fold> fold_;
  std::map<LaneTarget, Lane> lanes_;
  std::vector<machine::Figure> figures_;  // as of the last commit
  std::vector<Bytes> trims_;              // outbox rows to erase with the next commit
  std::size_t outbox_bytes_ = 0;
  std::size_t outbox_packets_ = 0;
  std::size_t records_since_commit_ = 0;
  std::size_t bytes_since_commit_ = 0;
  std::uint64_t events_at_commit_ = 0;
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
  bool contradicted_ = false;  // another owner's output stands in a stream beside this shard's
  journal::ReadBatch batch_;
  struct Wait {
    std::weak_ptr<void> alive;
    std::function<bool(Shard&)> met;
    std::function<void(Shard&)> done;
    // Of a wait for a position: who is told that the inbox ends before it, and when to ask.
    std::uint64_t position = 0;
    std::function<void()> in_vain = nullptr;
    std::chrono::steady_clock::time_point doubt_at{};
  };
  std::vector<Wait> waits_;
  mutable std::mutex status_mutex_;
  ShardStatus status_;
};

}  // namespace granary::runtime
