#include "services/allocation/core/charging.h"

#include <algorithm>

#include "shared/base/probe.h"

namespace granary::allocation {
namespace {

using events::BurnRule;
using events::ChargePart;
using events::PartFunding;

// Below zero: `a` burns before `b`.
std::strong_ordering compare(const Lot& a, const Lot& b, BurnRule rule) {
  switch (rule) {
    case BurnRule::priority:
      return a.priority <=> b.priority;
    case BurnRule::earliest_expiry:
      return a.to <=> b.to;
    case BurnRule::earliest_award:
      return a.awarded_at <=> b.awarded_at;
  }
  return std::strong_ordering::equal;
}

bool burns_before(const Lot& a, const Lot& b, const std::vector<BurnRule>& order) {
  for (const BurnRule rule : order)
    if (const auto ordering = compare(a, b, rule); ordering != 0) return ordering < 0;
  if (a.grant != b.grant) {
    GRANARY_PROBE("two lots that no rule tells apart burn in the order of their grants");
    return a.grant < b.grant;
  }
  GRANARY_PROBE("two lots of one grant that no rule tells apart burn in their own order");
  return a.ordinal < b.ordinal;
}

bool covers(const Lot& lot, const Interval& piece) {
  return lot.from <= piece.from && (piece.from == piece.to ? piece.from < lot.to : piece.to <= lot.to);
}

PartFunding part_funding(events::FundingKind funding) {
  switch (funding) {
    case events::FundingKind::share:
      return PartFunding::share;
    case events::FundingKind::pay_per_use:
      return PartFunding::pay_per_use;
    default:
      return PartFunding::covered;
  }
}

}  // namespace

void cut_at_edges(const Interval& interval, const std::vector<Lot>& lots, std::vector<Instant>& edges) {
  edges.clear();
  edges.push_back(interval.from);
  const auto inside = [&](Instant at) { return interval.from < at && at < interval.to; };
  bool in_order = true;
  for (units::Month month = next_month(month_of(interval.from)); inside(month_start(month)); month = next_month(month))
    edges.push_back(month_start(month));
  for (const Lot& lot : lots)
    for (const Instant edge : {lot.from, lot.to})
      if (inside(edge)) {
        edges.push_back(edge);
        in_order = false;
      }
  if (!in_order) {
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  }
  edges.push_back(interval.to);
}

void lots_in_burn_order(const std::vector<Lot>& lots, const Interval& piece, const std::vector<BurnRule>& order,
                        std::vector<std::size_t>& indices) {
  indices.clear();
  for (std::size_t i = 0; i < lots.size(); ++i)
    if (covers(lots[i], piece)) indices.push_back(i);
  if (indices.size() > 1)
    std::sort(indices.begin(), indices.end(),
              [&](std::size_t a, std::size_t b) { return burns_before(lots[a], lots[b], order); });
}

void Charge::start() {
  parts_.clear();
  exhausted_.clear();
  has_uncovered_ = false;
}

void Charge::add(AccountRow& account, const AccountId& id, const Interval& interval, Amount amount,
                 const std::vector<BurnRule>& order) {
  cut_at_edges(interval, account.lots, edges_);
  Amount before;
  for (std::size_t i = 1; i < edges_.size(); ++i) {
    const bool last = i + 1 == edges_.size();
    const Amount until =
        last ? amount : units::share_until(amount, edges_[i].ms() - interval.from.ms(), interval.duration_ms());
    take_piece(account, id, {edges_[i - 1], edges_[i]}, until - before, order);
    before = until;
  }
}

void Charge::take_piece(AccountRow& account, const AccountId& id, const Interval& piece, Amount amount,
                        const std::vector<BurnRule>& order) {
  if (amount.is_zero()) {
    GRANARY_PROBE("a piece of usage between two edges comes to nothing");
    return;
  }
  lots_in_burn_order(account.lots, piece, order, indices_);
  for (const std::size_t index : indices_) {
    Lot& lot = account.lots[index];
    if (const Amount taken = take(lot, id, piece, Account::available, amount); !taken.is_zero()) {
      if (lot.available.is_zero()) exhausted_.push_back({id, &lot});
      amount -= taken;
    }
    if (const Amount late = take(lot, id, piece, Account::expired, amount); !late.is_zero()) {
      GRANARY_PROBE("late usage takes what had expired of a lot");
      amount -= late;
    }
    if (amount.is_zero()) return;
  }
  account.outside -= amount;
  account.uncovered += amount;
  has_uncovered_ = true;
  ChargePart& part = add_part(id, piece, amount);
  part.from_account = Account::outside;
  part.to_account = Account::uncovered;
}

Amount Charge::take(Lot& lot, const AccountId& id, const Interval& piece, Account from, Amount wanted) {
  Amount& source = balance_of(lot, from);
  const Amount taken = std::min(source, wanted);
  if (taken.is_zero()) return taken;
  source -= taken;
  lot.used += taken;
  ChargePart& part = add_part(id, piece, taken);
  part.from_account = from;
  part.to_account = Account::used;
  part.grant = lot.grant;
  part.lot = lot.ordinal;
  part.funding = part_funding(lot.funding);
  part.share = lot.share;
  part.seller = lot.seller;
  part.purpose = lot.purpose;
  return taken;
}

ChargePart& Charge::add_part(const AccountId& id, const Interval& piece, Amount amount) {
  ChargePart& part = parts_.emplace_back();
  part.class_name = id.class_name;
  part.unit = id.unit;
  part.from = piece.from;
  part.to = piece.to;
  part.amount = amount;
  return part;
}

void slice_ends(const std::vector<ChargePart>& parts, std::vector<std::size_t>& ends) {
  ends.clear();
  std::size_t first = 0;
  std::size_t text_bytes = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const ChargePart& part = parts[i];
    const std::size_t bytes = part.class_name.size() + part.seller.size() + part.purpose.size();
    if (i > first && (i - first == kSlicePartsMax || text_bytes + bytes > kSliceTextBytesMax)) {
      if (i - first < kSlicePartsMax) GRANARY_PROBE("a slice of a charge ends early for the length of its names");
      ends.push_back(i);
      first = i;
      text_bytes = 0;
    }
    text_bytes += bytes;
  }
  ends.push_back(parts.size());
}

}  // namespace granary::allocation
