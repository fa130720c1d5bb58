#include "shared/shard/shard_log.h"

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
  telemetry::log(Level::info, "record_refused", "The rules refuse a record; the stream of refusals says why",
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
                 "A partition is parked, the others are served; hint: start a build that knows its next record",
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

void ShardLog::state_not_opened(std::string_view cause) const {
  telemetry::log(Level::error, "state_not_opened",
                 "The last start died while it opened the state; it is deleted and folded again from the log",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"cause", cause}});
}

void ShardLog::state_set_aside(std::string_view cause, OldState old) const {
  telemetry::log(Level::warn, "state_set_aside",
                 old == OldState::answers
                     ? "The state has rows of another form; it is folded again, and the old one answers meanwhile"
                     : "The state has rows of another form, which this build cannot read; it is folded again, and "
                       "questions wait until then",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"cause", cause}});
}

void ShardLog::folds_on(std::uint64_t position, std::uint64_t until) const {
  telemetry::log(Level::warn, "state_folds_on", "The state is still being folded again beside the old one",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"position", position},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"until", until}});
}

void ShardLog::folded_again(std::uint64_t position) const {
  telemetry::log(Level::info, "state_folded_again",
                 "The state is folded again up to the position of the old one, which is deleted",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"position", position},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_}});
}

void ShardLog::state_taken_back(std::uint64_t position, std::string_view stamp) const {
  telemetry::log(Level::info, "state_taken_back", "The old state has rows that this build knows; it is folded on",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"position", position},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"rows", stamp}});
}

void ShardLog::old_state_deleted(std::string_view cause) const {
  telemetry::log(Level::error, "old_state_deleted",
                 "The old state cannot be opened; it is deleted, and questions wait for the state that is folded again",
                 {{"topic", inbox_.topic},
                  {"partition", inbox_.number},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"cause", cause}});
}

void ShardLog::old_state_stays(const Error& error) const {
  telemetry::log(Level::warn, "old_state_stays",
                 "An old state that is not needed any more could not be deleted; the next start tries again",
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
  telemetry::log(Level::info, "journal_answers",
                 "The target accepts appends again; everything that waited for it has been sent",
                 {{"topic", partition.topic},
                  {"partition", partition.number},
                  {"machine", machine::machine_name(machine_)},
                  {"shard", shard_},
                  {"left_out", *left_out}});
}

}  // namespace granary::runtime
