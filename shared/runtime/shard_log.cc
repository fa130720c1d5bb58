#include "shared/runtime/shard_log.h"

#include "shared/events/record.h"

namespace granary::runtime {

using telemetry::Level;

void ShardLog::refused(const Fold& fold, BytesView record) {
  refusals_ = fold.counters().refusals;
  const auto left_out = refusal_lines_.take();
  if (!left_out) return;
  const std::uint64_t position = fold.position() - 1;
  const auto outcome = fold.outcome_of(position).value_or(machine::Outcome{});
  events::Raw raw;  // decoded again, but only for a line that is written
  if (events::kind_of(record) == events::RecordKind::raw) (void)codec::decode(events::body_of(record), raw);
  telemetry::log(Level::info, "record_refused", "The rules refuse a record; it stands in the stream of refusals",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"position", position},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"cause", outcome.reason},
                  {"field", outcome.field},
                  {"source", raw.source},
                  {"id", raw.id},
                  {"left_out", *left_out}});
}

void ShardLog::lane_alarm(const Fold& fold) {
  lane_alarms_ = fold.counters().lane_alarms;
  const auto left_out = alarm_lines_.take();
  if (!left_out) return;
  telemetry::log(Level::error, "lane_alarm",
                 "A packet that does not fit its lane was dropped whole; its writer has to send what is missing",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"position", fold.position() - 1},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"cause", fold.alarm()},
                  {"left_out", *left_out}});
}

void ShardLog::parked(std::uint64_t position, std::string_view cause) const {
  telemetry::log(Level::error, "partition_parked",
                 "A partition is parked; the rest serves; hint: start a build that knows the way on",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"position", position},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"cause", cause}});
}

void ShardLog::folds_again() const {
  telemetry::log(Level::info, "state_deleted",
                 "The state is ahead of what its targets hold; it is folded again from the log",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_}});
}

void ShardLog::state_damaged(const Error& error) const {
  telemetry::log(
      Level::error, "state_damaged",
      "The state on the disk is damaged; it is deleted and folded again from the log; hint: look at the disk",
      {{"topic", inbox_.topic},
       {"partition", inbox_.number},
       {"machine", machine::machine_name(machine_)},
       {"shard", shard_},
       {"cause", error.message}});
}

void ShardLog::retries(const journal::Partition& partition, const Error& error) {
  const auto left_out = retry_lines_.take();
  if (!left_out) return;
  telemetry::log(Level::warn, "journal_retried", "The log does not answer; it is tried again until it does",
                 {{"topic", partition.topic},
                  {"partition", partition.number},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"cause", error.message},
                  {"left_out", *left_out}});
}

void ShardLog::answers(const journal::Partition& partition) {
  const auto left_out = retry_lines_.take();
  if (!left_out) return;
  telemetry::log(Level::info, "journal_answers", "A target that failed has taken what was kept for it",
                 {{"topic", partition.topic},
                  {"partition", partition.number},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"left_out", *left_out}});
}

}  // namespace granary::runtime
