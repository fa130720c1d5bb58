// Charges a usage's amount: it is cut at the edges of months and of lots' periods, then taken from lots in burn-down
// order; what no lot has is uncovered. Pure functions over one row of accounts; any thread.
#pragma once

#include <vector>

#include "services/allocation/core/rows.h"

namespace granary::allocation {

// The edges at which a usage in `interval` is cut, its two ends included, rising: months (UTC), and the begin
// and end of each lot's period. An empty interval (a count of items at an instant) has one piece, [start, start).
void cut_at_edges(const Interval& interval, const std::vector<Lot>& lots, std::vector<Instant>& edges);

// The lots whose period holds the piece, as indices into `lots`, in the order in which they burn down: the first rule
// that tells two apart decides, then grant and ordinal. `piece` must not cross an edge.
void lots_in_burn_order(const std::vector<Lot>& lots, const Interval& piece, const std::vector<events::BurnRule>& order,
                        std::vector<std::size_t>& indices);

// What one usage is charged, over all its classes. Memory is reused from usage to usage.
class Charge {
 public:
  void start();

  // Charges `amount` > 0 to the account's lots and, beyond them, to `uncovered`; moves the balances and adds a part for
  // each posting. A piece takes of each lot what is available, then what has expired of it (usage that was reported
  // late), never what is reserved. Uncovered parts have no funding yet.
  void add(AccountRow& account, const AccountId& id, const Interval& interval, Amount amount,
           const std::vector<events::BurnRule>& order);

  // A lot whose available amount came to nothing.
  struct Exhausted {
    AccountId account;
    const Lot* lot;
  };

  std::vector<events::ChargePart>& parts() { return parts_; }
  [[nodiscard]] const std::vector<Exhausted>& exhausted() const { return exhausted_; }
  [[nodiscard]] bool has_uncovered() const { return has_uncovered_; }

 private:
  void take_piece(AccountRow& account, const AccountId& id, const Interval& piece, Amount amount,
                  const std::vector<events::BurnRule>& order);
  Amount take(Lot& lot, const AccountId& id, const Interval& piece, Account from, Amount wanted);
  events::ChargePart& add_part(const AccountId& id, const Interval& piece, Amount amount);

  std::vector<events::ChargePart> parts_;
  std::vector<Exhausted> exhausted_;
  std::vector<Instant> edges_;
  std::vector<std::size_t> indices_;
  bool has_uncovered_ = false;
};

// Where a charge's parts are cut into events: each slice ends before the index at its place. At most kSlicePartsMax
// parts and kSliceTextBytesMax bytes of names a slice, so that it fits a record. `parts` must not be empty.
inline constexpr std::size_t kSlicePartsMax = 128;
inline constexpr std::size_t kSliceTextBytesMax = 40U << 10;
void slice_ends(const std::vector<events::ChargePart>& parts, std::vector<std::size_t>& ends);

}  // namespace granary::allocation
