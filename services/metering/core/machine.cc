#include "services/metering/core/machine.h"

#include "shared/base/probe.h"

namespace granary::metering {
namespace {

using machine::Context;
using machine::Out;
using machine::Outcome;
using machine::RawInput;

// Rows of each table that stay in memory between commits. There are some hundreds of sources, so all of them stay.
// Waiting usage and held jobs are touched twice each, mostly within minutes; a waiting usage is the largest row, about
// 1 KiB.
constexpr std::size_t kSourcesCached = 4096;
constexpr std::size_t kWaitingCached = 4096;

}  // namespace

MeteringMachine::MeteringMachine()
    : facts_(tables_),
      ids_(tables_, Table::ids),
      shard_(tables_, Table::shard, 1),
      sources_(tables_, Table::sources, kSourcesCached, &source_law_),
      waiting_heads_(tables_, Table::waiting_heads, kWaitingCached),
      waiting_(tables_, Table::waiting, kWaitingCached),
      held_(tables_, Table::held, kWaitingCached),
      sweeps_(tables_, Table::sweeps) {}

void MeteringMachine::open(const store::View& rows) {
  tables_.open(rows);
  sweeps_.open();
  facts_.read();
  if (const ShardRow* row = shard_.find("")) ids_kept_from_ = row->ids_kept_from;
  held_.scan("", [this](BytesView root, const HeldRow&) { return held_roots_.insert(*id_from(root)), true; });
  each_waiting([this](std::string_view, std::string_view, const WaitingHead& head) {
    unbound_ += head.count - head.unmeasured;
    unmeasured_ += head.unmeasured;
  });
}

ShardRow& MeteringMachine::shard() {
  return shard_.edit("");
}

const MeteringMachine::Rules& MeteringMachine::rules() {
  static const Rules kRules = Rules()
                                  .raw<events::UsageReported, &MeteringMachine::take_report>()
                                  .raw<events::UsageInterim, &MeteringMachine::take_interim>()
                                  .lane<events::PolicyPublished, &MeteringMachine::learn_policy>()
                                  .lane<events::AccountBound, &MeteringMachine::bind_account>()
                                  .lane<events::SourceStated, &MeteringMachine::state_source>();
  return kRules;
}

bool MeteringMachine::has_rule(machine::Way way, const events::Event& event, std::uint64_t version) const {
  return rules().has(way, event, version);
}

Outcome MeteringMachine::apply_raw(const RawInput& input, const Context& context, Out& out) {
  return rules().apply(*this, input, context, out);
}

void MeteringMachine::apply_lane(const machine::LaneInput& input, const Context& context, Out& out) {
  rules().apply(*this, input, context, out);
}

void MeteringMachine::apply_tick(Instant before, const Context& context, Out&) {
  if (units::day_number(before) == units::day_number(context.now)) return;
  const auto days = facts_.window_days_at(context.now);
  if (!days) return;
  const std::int64_t keep_from = units::day_number(context.now) - *days - 1;
  if (keep_from <= ids_kept_from_) {
    GRANARY_PROBE("a day brings no ids to drop, as the window grew");
    return;
  }
  ids_kept_from_ = keep_from;
  shard().ids_kept_from = keep_from;
  ids_.drop_before(keep_from);
  drop_held_before(keep_from);
}

}  // namespace granary::metering
