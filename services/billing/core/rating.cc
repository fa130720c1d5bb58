#include "services/billing/core/rating.h"

#include <algorithm>

#include "shared/base/check.h"
#include "shared/base/probe.h"

namespace granary::billing {
namespace {

using events::ChargePart;
using events::PartFunding;
using units::Amount;
using units::Instant;
using units::Money;

constexpr units::Int128 kWhole = 1'000'000'000;  // a share of one

void add_piece(const ChargePart& part, Instant from, Instant to, PriceBooks::Pick price, std::vector<Piece>& pieces) {
  Piece piece{from, to, part.amount, price, {}};
  if (from != part.from || to != part.to) {
    const std::int64_t total = part.to.ms() - part.from.ms();
    piece.amount = units::share_until(part.amount, to.ms() - part.from.ms(), total) -
                   units::share_until(part.amount, from.ms() - part.from.ms(), total);
    if (piece.amount.is_zero()) {
      GRANARY_PROBE("a piece of a charge between two edges comes to nothing");
      return;
    }
  }
  if (piece.price) {
    const auto list = units::mul_div_half_even(piece.amount.value(), piece.price.entry->price.value(),
                                               piece.price.entry->per_unit.base_units);
    if (list) {
      piece.list = Money(*list);
    } else {
      GRANARY_PROBE("a list amount that is too large waits as if it had no price");
      piece.price = {};
    }
  }
  pieces.push_back(piece);
}

// The share of `whole`, half to even.
units::Int128 share_of(units::Int128 whole, units::Price share) {
  const auto part = units::mul_div_half_even(whole, share.value(), kWhole);
  GRANARY_CHECK(part.has_value(), "a share is larger than the whole");
  return *part;
}

}  // namespace

void cut(const ChargePart& part, const PriceQuestion& question, const PriceBooks& books, std::vector<Piece>& pieces) {
  pieces.clear();
  PriceBooks::Pick price = books.pick(question, part.from);
  if (part.to <= part.from) return add_piece(part, part.from, part.to, price, pieces);

  std::vector<Instant> edges;
  books.append_edges(question.seller, part.from, part.to, edges);
  for (auto month = units::next_month(units::month_of(part.from)); units::month_start(month) < part.to;
       month = units::next_month(month))
    edges.push_back(units::month_start(month));
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());

  Instant from = part.from;
  for (const Instant edge : edges) {
    const PriceBooks::Pick next = books.pick(question, edge);
    if (next == price && units::month_of(from) == units::month_of(edge)) {
      GRANARY_PROBE("a price book changes nothing for a part that goes on across its start");
      continue;
    }
    add_piece(part, from, edge, price, pieces);
    from = edge;
    price = next;
  }
  add_piece(part, from, part.to, price, pieces);
}

Shares divide(const ChargePart& part, Amount amount, Money list) {
  switch (part.funding) {
    case PartFunding::covered:
      return {amount, {}, list, {}};
    case PartFunding::share: {
      const Amount covered(share_of(amount.value(), part.share));
      const Money covered_amount(share_of(list.value(), part.share));
      return {covered, amount - covered, covered_amount, list - covered_amount};
    }
    case PartFunding::pay_per_use:
    case PartFunding::uncovered_bill:
      return {{}, amount, {}, list};
    case PartFunding::uncovered_record:
      return {};
  }
  GRANARY_CHECK(false, "a part of a charge has no funding");
}

}  // namespace granary::billing
