#include "services/metering/core/machine.h"

#include "shared/base/probe.h"

namespace granary::metering {
namespace {

using machine::Context;
using machine::Out;
using machine::Outcome;
using machine::RawInput;

constexpr std::size_t kSourcesCached = 4096;
constexpr std::size_t kWaitingCached = 4096;

std::uint8_t prefix(Table table) {
  return static_cast<std::uint8_t>(table);
}

}  // namespace

MeteringMachine::MeteringMachine()
    : ids_(prefix(Table::ids)),
      shard_(prefix(Table::shard), 1),
      sources_(prefix(Table::sources), kSourcesCached),
      waiting_heads_(prefix(Table::waiting_heads), kWaitingCached),
      waiting_(prefix(Table::waiting), kWaitingCached),
      held_(prefix(Table::held), kWaitingCached) {}

void MeteringMachine::open(const store::View& rows) {
  show(rows);
  facts_.open(rows);
  ids_.open(rows);
  if (const ShardRow* row = shard_.find("")) ids_kept_from_ = row->ids_kept_from;
  held_.scan("", [this](BytesView root, const HeldRow&) { return held_roots_.insert(*id_from(root)), true; });
  each_waiting([this](std::string_view, std::string_view, std::uint64_t count) { unbound_ += count; });
}

void MeteringMachine::show(const store::View& rows) {
  shard_.open(rows);
  sources_.open(rows);
  waiting_heads_.open(rows);
  waiting_.open(rows);
  held_.open(rows);
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

void MeteringMachine::flush(store::WriteSet& rows) {
  facts_.flush(rows);
  ids_.flush(rows);
  shard_.flush(rows);
  sources_.flush(rows, [](const Bytes&, const SourceRow* row) {
    GRANARY_CHECK(row != nullptr && row->received == row->metered + row->repeated + row->rejected + row->pending,
                  "a usage was lost from sight: received is not metered + repeated + rejected + pending");
  });
  waiting_heads_.flush(rows);
  waiting_.flush(rows);
  held_.flush(rows);
}

void MeteringMachine::committed() {
  facts_.committed();
  shard_.shrink();
  sources_.shrink();
  waiting_heads_.shrink();
  waiting_.shrink();
  held_.shrink();
}

}  // namespace granary::metering
