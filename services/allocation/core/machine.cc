#include "services/allocation/core/machine.h"

namespace granary::allocation {

AllocationMachine::AllocationMachine(std::size_t rows_max)
    : projects_(tables_, Table::projects, rows_max),
      accounts_(tables_, Table::accounts, rows_max, &books_law_),
      waiting_(tables_, Table::waiting, rows_max),
      waiting_usage_(tables_, Table::waiting_usage, rows_max),
      holds_(tables_, Table::holds, rows_max),
      ends_(tables_, Table::ends, rows_max),
      counts_(tables_, Table::counts, rows_max),
      heard_(tables_, Table::heard, rows_max),
      refs_(tables_, Table::refs, rows_max),
      policies_(tables_, rows_max),
      sources_(tables_, rows_max),
      sweeps_(tables_, Table::sweeps) {}

void AllocationMachine::open(const store::View& rows) {
  tables_.open(rows);
  sweeps_.open();
  due_ends_.clear();
  last_due_.clear();
  first_end_.reset();
  ends_.scan({}, [this](BytesView key, const KeyRow&) {
    first_end_ = Instant(read_i64(key));
    return false;
  });
  first_heard_.reset();
  heard_.scan({}, [this](BytesView key, const KeyRow&) {
    first_heard_ = Instant(read_i64(key));
    return false;
  });
}

const AllocationMachine::Rules& AllocationMachine::rules() {
  static const Rules kRules = Rules()
                                  .lane<events::UsageMetered, &AllocationMachine::take_usage>()
                                  .lane<events::UsageHeld, &AllocationMachine::take_interim>()
                                  .lane<events::HoldSettled, &AllocationMachine::settle_hold>()
                                  .lane<events::ProjectOpened, &AllocationMachine::open_project>()
                                  .lane<events::GrantOpened, &AllocationMachine::open_grant>()
                                  .lane<events::PolicyPublished, &AllocationMachine::learn_policy>()
                                  .lane<events::SourceCompleted, &AllocationMachine::state_source>();
  return kRules;
}

bool AllocationMachine::has_rule(machine::Way way, const events::Event& event, std::uint64_t version) const {
  return rules().has(way, event, version);
}

machine::Outcome AllocationMachine::apply_raw(const machine::RawInput& input, const Context& context, Out& out) {
  return rules().apply(*this, input, context, out);
}

void AllocationMachine::apply_lane(const machine::LaneInput& input, const Context& context, Out& out) {
  rules().apply(*this, input, context, out);
}

void AllocationMachine::apply_tick(Instant, const Context& context, Out& out) {
  lapse_holds(context, out);
}

// Lots first: a project that has just been opened has none that end.
void AllocationMachine::sweep(std::size_t rows, const Context& context, Out& out) {
  rows -= expire_lots(rows, context, out);
  sweeps_.go_on(rows, sweep_step(context, out));
}

std::optional<Instant> AllocationMachine::swept_until(const Context& context) {
  find_first_end(context);
  const auto since = sweeps_.since();
  if (!lots_are_due(context)) return since;
  return since ? std::min(*since, *first_end_) : *first_end_;
}

machine::Sweeps::Step AllocationMachine::sweep_step(const Context& context, Out& out) {
  return [this, &context, &out](machine::SweepRow& sweep, std::size_t rows, bool& is_done) {
    return release_waiting(sweep.name, rows, context, out, is_done);
  };
}

AccountRow& AllocationMachine::edit_account(const AccountId& id) {
  return accounts_.edit(keys_.account(id));
}

const ProjectRow* AllocationMachine::find_project(BytesView project) {
  return projects_.find(keys_.project(project));
}

}  // namespace granary::allocation
