#include "shared/events/grant.h"

#include "shared/events/form.h"

namespace granary::events {

Trouble check(const GrantAwarded& grant, const std::string& at) {
  const Funding& funding = grant.funding;
  const bool is_share = funding.kind == FundingKind::share;
  if (is_share != !funding.share.is_zero() || funding.share > Price(1'000'000'000))
    return FormError{"malformed", at + "/funding/share", units::format_decimal(funding.share.value(), 9),
                     "send a share above 0 and at most 1 with kind share, and only then"};
  for (std::size_t i = 0; i < grant.lots.size(); ++i) {
    const LotAwarded& lot = grant.lots[i];
    const std::string here = at + "/lots/" + std::to_string(i);
    if (auto trouble = check_unit(lot.unit, here + "/unit")) return trouble;
    if (lot.from >= lot.to)
      return FormError{"lot_period_empty", here + "/to", units::format_time(lot.to), "send a `to` after `from`"};
    if (!units::mul_div_half_even(lot.quantity.value(), units::named_unit(lot.unit)->base_units, 1000))
      return FormError{"quantity_overflow", here + "/quantity", units::format_decimal(lot.quantity.value(), 3),
                       "send at most 2^96 base units in one lot"};
  }
  return check(grant.refs, at + "/refs");
}

}  // namespace granary::events
