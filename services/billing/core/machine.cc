#include "services/billing/core/machine.h"

namespace granary::billing {
namespace {

using machine::Context;
using machine::Outcome;

// Rows of each table that stay in memory between commits. Those that each charge touches: about 0.4 KiB each, so that
// a table stays below 100 MiB. The others are read when people ask, or once per book or statement.
constexpr std::size_t kHotRowsMax = 200'000;
constexpr std::size_t kFewRowsMax = 10'000;

}  // namespace

BillingMachine::BillingMachine()
    : organisations_(tables_, Table::organisations, kFewRowsMax),
      projects_(tables_, Table::projects, kHotRowsMax),
      published_(tables_, Table::price_books, kFewRowsMax),
      charges_(tables_, Table::charges, kHotRowsMax),
      sources_(tables_, Table::sources, kFewRowsMax),
      totals_(tables_, Table::totals, 1),
      money_(tables_, kHotRowsMax),
      waiting_(tables_, kHotRowsMax),
      sweeps_(tables_, Table::sweeps) {}

void BillingMachine::open(const store::View& rows) {
  tables_.open(rows);
  sweeps_.open();
  published_.scan({}, [this](BytesView key, const events::PriceBookPublished& book) {
    books_.add(read_u64(key), book);
    return true;
  });
}

const BillingMachine::Rules& BillingMachine::rules() {
  static const Rules kRules = Rules()
                                  .lane<events::UsageCharged, &BillingMachine::take_charge>()
                                  .lane<events::UnitsPosted, &BillingMachine::take_posting>()
                                  .lane<events::PriceBookPublished, &BillingMachine::learn_price_book>()
                                  .lane<events::ProjectOpened, &BillingMachine::open_project>()
                                  .lane<events::OrganisationRegistered, &BillingMachine::register_organisation>()
                                  .lane<events::SourceCompleted, &BillingMachine::state_source>();
  return kRules;
}

bool BillingMachine::has_rule(machine::Way way, const events::Event& event, std::uint64_t version) const {
  return rules().has(way, event, version);
}

Outcome BillingMachine::apply_raw(const machine::RawInput& input, const Context& context, machine::Out& out) {
  return rules().apply(*this, input, context, out);
}

void BillingMachine::apply_lane(const machine::LaneInput& input, const Context& context, machine::Out& out) {
  rules().apply(*this, input, context, out);
}

void BillingMachine::apply_tick(Instant, const Context&, machine::Out&) {}

}  // namespace granary::billing
