// What the routes ask, over rows that are shown (Machine::show).
#include "services/billing/core/machine.h"

namespace granary::billing {

std::vector<machine::Figure> BillingMachine::figures() {
  const TotalsRow* totals = totals_.find({});
  return {{"unrated", "unrated_charges", "Parts of charges that wait for a price, or for their project",
           totals == nullptr ? 0 : totals->waiting}};
}

void BillingMachine::charges(BytesView from_key,
                             const std::function<bool(BytesView key, const ChargesLine&)>& visit) const {
  charges_.scan(from_key, [&visit](BytesView key, const ChargesRow& sums) {
    BytesView rest = key;
    const auto organisation = take_part(rest);
    const auto project = take_part(rest);
    const auto resource = take_part(rest);
    GRANARY_CHECK(organisation && project && resource && rest.size() > 5, "the key of monthly sums is cut short");
    const units::Month month{static_cast<std::int32_t>(read_u32(rest))};
    const auto unit = static_cast<units::UnitKind>(rest[4]);
    rest.remove_prefix(5);
    const auto currency = take_part(rest);
    GRANARY_CHECK(currency.has_value(), "the key of monthly sums has no currency");
    return visit(key, {Bytes(*organisation), Bytes(*project), Bytes(*resource), units::format_month(month), unit,
                       Bytes(*currency), sums});
  });
}

Bytes BillingMachine::organisation_prefix(std::string_view organisation) {
  Bytes key;
  append_part(key, organisation);
  return key;
}

void BillingMachine::accounts(BytesView from_key,
                              const std::function<bool(BytesView key, const AccountLine&)>& visit) const {
  money_.scan(from_key, visit);
}

}  // namespace granary::billing
