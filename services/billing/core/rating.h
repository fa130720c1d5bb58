// Cutting a part of a charge when its price or its service month changes, and working out who pays. Pure functions;
// any thread that may read the price books.
#pragma once

#include <vector>

#include "services/billing/core/price_books.h"
#include "shared/events/charge.h"

namespace granary::billing {

// A stretch of a part with one price in one month. Without a price it waits.
struct Piece {
  units::Instant from, to;
  units::Amount amount;
  PriceBooks::Pick price;
  units::Money list;  // rounded once, half to even
};

// Replaces `pieces` by those of `part`, in order of time; their amounts sum up to the part's. Edges: each start of a
// month inside, and each effective time inside at which another price (or none) begins to hold; neighbours with the
// same price, or both without, stay one piece. Amounts are differences of units::share_until; a piece that rounds to
// nothing is left out. A part without duration is never cut. A piece whose list amount would be above 2^96 gets no
// price, so that no overflow is booked.
void cut(const events::ChargePart& part, const PriceQuestion& question, const PriceBooks& books,
         std::vector<Piece>& pieces);

// How a piece is divided (worked example, «Who pays»). What neither the grant nor the organisation bears is recorded.
struct Shares {
  units::Amount covered, billed;
  units::Money covered_amount, billed_amount;
};
// `part` gives the funding; it must have one.
Shares divide(const events::ChargePart& part, units::Amount amount, units::Money list);

}  // namespace granary::billing
