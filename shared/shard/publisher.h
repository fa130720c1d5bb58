// Publishes a shard's outbox, lane by lane. It continues after the last event that a target holds, so that a stream has
// no event twice and no hole. For that it reads the target at its start and after each append that failed; it never
// trusts its own memory. It detects another owner of the shard (a zombie of another build) that writes other output to
// a stream.
//
// Threads: the shard's owner; answers of the journal come through the mailbox. May touch: the log's targets, by appends
// and reads; the rows of outbox and acknowledgements, in recover() and flush(). Ownership: journal, log and fold
// outlive it, and it outlives the mailbox's jobs.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shared/fold/fold.h"
#include "shared/journal/journal.h"
#include "shared/shard/mailbox.h"
#include "shared/shard/shard_log.h"
#include "shared/shard/target_scan.h"

namespace granary::runtime {

class Publisher {
 public:
  struct Setup {
    MachineKind machine{};
    std::uint16_t shard = 0;
    Ledger ledger;
    journal::Journal* journal = nullptr;
    std::shared_ptr<Mailbox> mailbox;
    ShardLog* log = nullptr;
    std::function<void()> run_jobs;  // questions to the shard, between two appends
    std::function<void(std::string)> park;
    std::function<void(const Error&)> fail;  // for good; stop() comes before it returns
  };
  explicit Publisher(Setup setup) : setup_(std::move(setup)) {}

  // Takes the outbox from the store's rows and compares each lane of the fold with its target. False: a target holds
  // less than was acknowledged, or other events, so that the state must be folded again. Errors: those of reads.
  Result<bool> recover(const store::View& rows, Fold& fold, TargetScan& scan);
  // The packets of a commit.
  void add(std::vector<OutPacket>& ready);
  // Adds to a commit what was acknowledged since the last one.
  void flush(store::WriteSet& rows);
  // Something was acknowledged since the last flush().
  [[nodiscard]] bool owes_flush() const { return !trims_.empty(); }

  // Sends from each lane that has no append under way.
  void publish();
  void retry_failed_lanes();
  // Sends nothing more.
  void stop() { stopped_ = true; }

  // What is not acknowledged yet.
  [[nodiscard]] std::size_t outbox_bytes() const { return outbox_bytes_; }
  [[nodiscard]] std::size_t outbox_packets() const { return outbox_packets_; }
  // Nothing for the outward streams is left.
  [[nodiscard]] bool streams_are_out() const;

 private:
  // One append of a lane is under way at a time: of two, the first could fail and the second be written, and an outward
  // stream would have a hole.
  struct Lane {
    std::deque<OutPacket> outbox;  // in order
    std::size_t in_flight = 0;     // the number of packets at its front that are being appended
    // An inbox: an offset before which everything ahead of the outbox is stored. An outward stream: the last number
    // that is stored.
    std::uint64_t acked_end = 0;
    std::uint64_t stream_end = 0;  // of an outward stream, in records, when it was last looked at or written to
    bool failed = false;
    bool newer = false;  // its outbox begins with what only a newer build can write as a record
    bool told = false;   // the operator, since it last succeeded
    std::chrono::steady_clock::time_point retry_at;  // no earlier, if it failed
  };

  // Reads the target from `from` on, or from the newest checkpoint (0), and drops from the outbox what the target holds
  // of the lane. False: it holds less than was acknowledged, or other output than this shard's.
  Result<bool> compare_with_target(const LaneTarget& target, Lane& lane, TargetScan& scan, journal::Offset from);
  void drop_first(const LaneTarget& target, Lane& lane);
  void publish_lane(const LaneTarget& target, Lane& lane);
  void acknowledged(const LaneTarget& target, const Result<journal::Offsets>& offsets);
  // If another owner has written to the stream meanwhile: parks the shard unless that output is the same as its own.
  void look_for_another_owner(const LaneTarget& stream, const Lane& lane, const journal::Offsets& offsets);

  Setup setup_;
  Fold* fold_ = nullptr;
  std::map<LaneTarget, Lane> lanes_;
  std::vector<Bytes> trims_;  // outbox rows to erase with the next commit
  std::size_t outbox_bytes_ = 0;
  std::size_t outbox_packets_ = 0;
  bool stopped_ = false;
  bool contradicted_ = false;  // a stream has another owner's output beside this shard's
};

}  // namespace granary::runtime
