#include "services/allocation/core/rows.h"

namespace granary::allocation {

AccountId account_of(BytesView key) {
  const auto project = take_part(key);
  const auto class_name = take_part(key);
  GRANARY_CHECK(project && class_name && key.size() == 1, "a key of accounts has another form");
  return {*project, *class_name, static_cast<UnitKind>(key.front())};
}

Amount& balance_of(Lot& lot, Account account) {
  switch (account) {
    case Account::available:
      return lot.available;
    case Account::reserved:
      return lot.reserved;
    case Account::used:
      return lot.used;
    case Account::expired:
      return lot.expired;
    default:
      GRANARY_CHECK(account == Account::withdrawn, "the account is not a lot's");
      return lot.withdrawn;
  }
}

void check_books(const AccountRow& account) {
  const Amount zero;
  Amount all = account.issued + account.outside + account.uncovered + account.unassigned;
  for (const Lot& lot : account.lots) {
    for (const Amount balance : {lot.available, lot.reserved, lot.used, lot.expired, lot.withdrawn})
      GRANARY_CHECK(balance >= zero, "an account of a lot is below zero");
    const Amount held = lot.available + lot.reserved + lot.used + lot.expired + lot.withdrawn;
    GRANARY_CHECK(held == lot.granted, "a lot holds another amount than it was granted");
    all += held;
  }
  GRANARY_CHECK(account.uncovered >= zero && account.unassigned >= zero, "use beyond all lots is below zero");
  GRANARY_CHECK(all.is_zero(), "the accounts of a resource do not sum to zero");
}

}  // namespace granary::allocation
