#include "services/allocation/core/machine.h"

namespace granary::allocation {

AllocationMachine::AllocationMachine(std::size_t rows_max)
    : projects_(static_cast<std::uint8_t>(Table::projects), rows_max),
      accounts_(static_cast<std::uint8_t>(Table::accounts), rows_max),
      waiting_(static_cast<std::uint8_t>(Table::waiting), rows_max),
      waiting_usage_(static_cast<std::uint8_t>(Table::waiting_usage), rows_max),
      holds_(static_cast<std::uint8_t>(Table::holds), rows_max),
      ends_(static_cast<std::uint8_t>(Table::ends), rows_max),
      counts_(static_cast<std::uint8_t>(Table::counts), rows_max),
      heard_(static_cast<std::uint8_t>(Table::heard), rows_max),
      refs_(static_cast<std::uint8_t>(Table::refs), rows_max),
      policies_(rows_max),
      sources_(rows_max) {}

void AllocationMachine::open(const store::View& rows) {
  show(rows);
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

void AllocationMachine::show(const store::View& rows) {
  projects_.open(rows);
  accounts_.open(rows);
  waiting_.open(rows);
  waiting_usage_.open(rows);
  holds_.open(rows);
  ends_.open(rows);
  counts_.open(rows);
  heard_.open(rows);
  refs_.open(rows);
  policies_.open(rows);
  sources_.open(rows);
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
  expire_lots(context, out);
  lapse_holds(context, out);
}

void AllocationMachine::flush(store::WriteSet& rows) {
  projects_.flush(rows);
  accounts_.flush(rows, [](const Bytes&, const AccountRow* account) {
    if (account != nullptr) check_books(*account);
  });
  waiting_.flush(rows);
  waiting_usage_.flush(rows);
  holds_.flush(rows);
  ends_.flush(rows);
  counts_.flush(rows);
  heard_.flush(rows);
  refs_.flush(rows);
  policies_.flush(rows);
  sources_.flush(rows);
}

void AllocationMachine::committed() {
  projects_.shrink();
  accounts_.shrink();
  waiting_.shrink();
  waiting_usage_.shrink();
  holds_.shrink();
  ends_.shrink();
  counts_.shrink();
  heard_.shrink();
  refs_.shrink();
  policies_.shrink();
  sources_.shrink();
}

AccountRow& AllocationMachine::edit_account(const AccountId& id) {
  account_key(id, key_);
  return accounts_.edit(key_);
}

const ProjectRow* AllocationMachine::find_project(BytesView project) {
  project_key(project, key_);
  return projects_.find(key_);
}

}  // namespace granary::allocation
