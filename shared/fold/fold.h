// One shard's fold: takes the records of an inbox in order, runs its machine over them, and turns the result into the
// rows of one atomic commit. Incoming lanes are in lanes_in.h and outgoing ones in lanes_out.h. record_checks.h says
// what is refused or parks before the machine sees it, layout.h has the keys and rows of the store.
//
// Threads: one owner. May touch: the view that it was opened with, which it only reads. The owner of a Fold reads the
// log, commits and publishes; replay owns one too and publishes nothing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shared/fold/lanes_in.h"
#include "shared/fold/lanes_out.h"
#include "shared/fold/layout.h"
#include "shared/fold/outcomes.h"
#include "shared/ledger/ledger.h"
#include "shared/machine/machine.h"

namespace granary::runtime {

using machine::Machine;

class Fold final : private machine::Out {
 public:
  Fold(const Ledger& ledger, MachineKind machine, std::uint16_t shard, std::unique_ptr<Machine> rules);

  // Reads the shard's position from its store, whose rows must be of a known form (standing_of). An empty store is at
  // position 0. `whole` lives as long as the fold.
  void open(const store::View& whole);

  enum class Step { folded, unfinished, parked };
  // Folds the record at position(). unfinished: its work is too much for one commit, so it is the same
  // record's turn again; until its last event is folded it counts for nothing but the rows, the lanes and the outbox.
  // parked: this build does not know the record (why: park_reason()); nothing has changed and the same record can be
  // folded again by a build that does.
  Step fold(BytesView record) { return fold_until(record, kAllEvents); }
  // The same, up to its first `events` events: as far as another state had come.
  Step fold_until(BytesView record, std::uint64_t events);
  static constexpr std::uint64_t kAllEvents = UINT64_MAX;
  // Whether the record at position() is folded in part.
  [[nodiscard]] bool is_unfinished() const { return events_done_ > 0; }
  [[nodiscard]] std::uint64_t events_done() const { return events_done_; }
  // Of all events that were sent, since it was opened.
  [[nodiscard]] std::uint64_t bytes_sent() const { return out_.bytes_sent(); }
  // What a packet's events may send before the rest of it is left to the next step. Where a step ends changes nothing
  // of what is sent: tests set 0.
  void set_step_bytes(std::uint64_t bytes) { step_bytes_ = bytes; }
  [[nodiscard]] const std::string& park_reason() const { return park_reason_; }

  // Adds all that changed since the last flush: machine, position, lanes, and the packets that became ready (they are
  // the outbox). The rows must be committed before the next fold.
  void flush(store::WriteSet& rows, std::vector<OutPacket>& ready);
  void committed();

  // The target already holds the lane up to this number (the state was lost): those events are counted but not sent
  // again. When the fold reaches the number it compares the hash: the chained one of an inbox's lane, the last record's
  // of an outward stream (outward_hash).
  void set_standing(const LaneTarget& target, const LaneCounter& standing) { out_.set_standing(target, standing); }
  // A target holds another output for the same input.
  [[nodiscard]] bool diverged() const { return out_.diverged(); }

  [[nodiscard]] Machine& rules() { return *rules_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // Of the record before position(), as of the last flush.
  [[nodiscard]] const Hash32& last_record_hash() const { return last_hash_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Instant complete() const { return complete_; }
  // The rules version in force.
  [[nodiscard]] std::uint64_t rules_version() const { return rules_version_; }
  // The number of the last event folded from a lane.
  [[nodiscard]] std::uint64_t folded_from(MachineKind machine, std::uint16_t shard) const;
  [[nodiscard]] const LaneCounters& out_lanes() const { return out_.counters(); }
  // What the inbox held when it was folded up to position(), as of the last flush.
  [[nodiscard]] events::Checkpoint checkpoint() const;
  // Whether what an event of this lane up to that number began is still under way (sweeps).
  [[nodiscard]] bool owes(MachineKind machine, std::uint16_t shard, std::uint64_t number) const {
    return rules_->owes(machine, shard, number);
  }
  // What the last raw records came to; nullopt: too long ago.
  [[nodiscard]] std::optional<machine::Outcome> outcome_of(std::uint64_t offset) const { return outcomes_.of(offset); }

  struct Counters {
    std::uint64_t events = 0, repeats_dropped = 0, lane_alarms = 0, refusals = 0;
    std::uint64_t repeats = 0;                                   // raw events that were judged repeats
    std::map<std::string_view, std::uint64_t> refusals_by_name;  // names are static text
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  // What was wrong with the packet that raised the last lane alarm.
  [[nodiscard]] const std::string& alarm() const { return alarm_; }

 private:
  std::uint64_t send(Topic topic, std::uint16_t partition, BytesView event) override {
    return out_.send({topic, partition}, event);
  }
  [[nodiscard]] std::uint64_t next_number(Topic topic, std::uint16_t partition) const override {
    return out_.next_number({topic, partition});
  }
  void activate_rules(std::uint64_t version) override;
  Step fold_known(BytesView record, events::RecordKind kind, std::uint64_t events);
  Step fold_genesis(BytesView record);
  Step fold_raw(BytesView record);
  void refuse_raw(machine::Outcome outcome);
  Step fold_packet(BytesView record, std::uint64_t events);
  void fold_tick(Instant instant);
  void go_on_with_sweeps();
  void refuse_record(BytesView record, std::string_view reason, std::string hint);
  void count_refusal(std::string_view reason);
  // Whether its machine has lanes to that inbox.
  [[nodiscard]] bool writes_to(Topic inbox) const;
  machine::Context context();
  Step park(std::string reason);

  Ledger ledger_;
  MachineKind machine_;
  std::uint16_t shard_;
  Topic inbox_;
  std::unique_ptr<Machine> rules_;
  std::unique_ptr<DomainView> domain_;
  machine::Router router_;

  bool stamped_ = false;  // the store has this build's stamp
  std::uint64_t position_ = 0;
  std::uint64_t events_done_ = 0;  // of the packet at position_
  std::uint64_t step_bytes_ = 8U << 20;
  Hash32 last_hash_{};
  Bytes last_record_;  // the last one folded since the last flush, if folded_since_flush_: hashed once a commit
  bool folded_since_flush_ = false;
  Instant now_, complete_;
  std::uint64_t rules_version_ = 1;  // until the genesis record says
  LanesIn in_;
  LanesOut out_;
  Outcomes outcomes_;

  events::Raw raw_;
  events::EventDecoder decoder_;
  std::string park_reason_;
  std::string alarm_;
  Counters counters_;
};

// The field `check` of a checkpoint: SHA-256 of its record without that field.
Hash32 check_of(events::Checkpoint checkpoint);

}  // namespace granary::runtime
