#include "services/billing/core/machine.h"

namespace granary::billing {
namespace {

using machine::Context;
using machine::Outcome;

// Rows kept in memory per shard and table.
constexpr std::size_t kHotRowsMax = 200'000;
constexpr std::size_t kFewRowsMax = 10'000;

constexpr std::uint8_t prefix(TablePrefix table) {
  return static_cast<std::uint8_t>(table);
}

Bytes totals_key() {
  return Bytes(1, static_cast<char>(prefix(TablePrefix::totals)));
}

}  // namespace

BillingMachine::BillingMachine()
    : organisations_(prefix(TablePrefix::organisation), kFewRowsMax),
      projects_(prefix(TablePrefix::project), kHotRowsMax),
      published_(prefix(TablePrefix::price_book), kFewRowsMax),
      charges_(prefix(TablePrefix::charges), kHotRowsMax),
      sources_(prefix(TablePrefix::source), kFewRowsMax),
      money_(kHotRowsMax),
      waiting_(kHotRowsMax) {}

void BillingMachine::open(const store::View& rows) {
  show(rows);
  if (const auto totals = rows.get(totals_key()))
    GRANARY_CHECK(codec::decode(*totals, totals_), "the totals of a shard do not decode");
  published_.scan({}, [this](BytesView key, const events::PriceBookPublished& book) {
    books_.add(read_u64(key), book);
    return true;
  });
}

void BillingMachine::show(const store::View& rows) {
  organisations_.open(rows);
  projects_.open(rows);
  published_.open(rows);
  charges_.open(rows);
  sources_.open(rows);
  money_.open(rows);
  waiting_.open(rows);
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

void BillingMachine::flush(store::WriteSet& rows) {
  organisations_.flush(rows);
  projects_.flush(rows);
  published_.flush(rows);
  charges_.flush(rows);
  money_.flush(rows);
  waiting_.flush(rows);
  sources_.flush(rows);
  if (!totals_changed_) return;
  Bytes totals;
  codec::encode(totals_, totals);
  rows.put(totals_key(), std::move(totals));
  totals_changed_ = false;
}

void BillingMachine::committed() {
  organisations_.shrink();
  projects_.shrink();
  published_.shrink();
  charges_.shrink();
  sources_.shrink();
  money_.committed();
  waiting_.committed();
}

}  // namespace granary::billing
