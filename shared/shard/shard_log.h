// What a shard tells on the log, and the figures of its commits. Refusals and retries are bounded to a few lines a
// second for each shard (LineBudget); all are counted in ShardStatus.
//
// Threads: the shard's owner.
#pragma once

#include <chrono>
#include <string>

#include "shared/fold/fold.h"
#include "shared/telemetry/log.h"

namespace granary::runtime {

class ShardLog {
 public:
  explicit ShardLog(journal::Partition inbox, MachineKind machine, std::uint16_t shard)
      : inbox_(std::move(inbox)), machine_(machine), shard_(shard) {}

  // Called after each record that was folded: tells if it was refused or did not fit its lane.
  void folded(const Fold& fold, BytesView record) {
    const Fold::Counters& counters = fold.counters();
    if (counters.refusals != refusals_) [[unlikely]]
      refused(fold, record);
    if (counters.lane_alarms != lane_alarms_) [[unlikely]]
      lane_alarm(fold);
  }
  void parked(std::uint64_t position, std::string_view cause) const;
  // The targets or the log contradict the state: it was deleted and is folded again from the log.
  void folds_again() const;
  // The state cannot be opened: it was deleted and is folded again.
  void state_damaged(const Error& error) const;
  // The process before died while it opened the state: it was deleted and is folded again.
  void state_not_opened(std::string_view cause) const;
  // The state has rows of another form; it is folded again beside the old one.
  enum class OldState : std::uint8_t { answers, is_foreign };
  void state_set_aside(std::string_view cause, OldState old) const;
  // A start finds that half done; the old state has folded `until` records.
  void folds_on(std::uint64_t position, std::uint64_t until) const;
  // It has reached the position of the old state, which is deleted.
  void folded_again(std::uint64_t position) const;
  // This build knows the old state's rows: that state is folded on.
  void state_taken_back(std::uint64_t position, std::string_view stamp) const;
  // The old state cannot be opened, or broke a law when it was read; it answers no more.
  void old_state_deleted(std::string_view cause) const;
  // The old state is not needed any more, and could not be deleted.
  void old_state_stays(const Error& error) const;
  // An append to a target or a read of the inbox failed and is tried again until it works.
  void retries(const journal::Partition& partition, const Error& error);
  // A target that retries() told of has taken an append.
  void answers(const journal::Partition& partition);

 private:
  void refused(const Fold& fold, BytesView record);
  void lane_alarm(const Fold& fold);

  journal::Partition inbox_;
  MachineKind machine_;
  std::uint16_t shard_;
  std::uint64_t refusals_ = 0;
  std::uint64_t lane_alarms_ = 0;
  telemetry::LineBudget refusal_lines_{5};
  telemetry::LineBudget alarm_lines_{5};
  telemetry::LineBudget retry_lines_{5};
};

}  // namespace granary::runtime
