// The money accounts of a shard, in double entry: every posting takes from one account what it gives to another, so
// that all accounts of a currency sum to zero.
//
// Threads: belongs to its machine's thread.
#pragma once

#include <functional>
#include <map>

#include "services/billing/core/rows.h"
#include "shared/machine/row_table.h"

namespace granary::billing {

// An account as people see it.
struct AccountLine {
  std::string currency;
  MoneyAccount kind{};
  std::string owner;         // the seller's or organisation's name, the grant's id in hex
  std::string organisation;  // whose grant or debt it is; empty for a seller's account
  Money balance;
  std::uint64_t postings = 0;
};

class MoneyBooks final : private machine::RowLaw<AccountRow> {
 public:
  MoneyBooks(machine::TableSet& tables, std::size_t rows_max);

  // What a grant covers: in-kind value of the seller -> in-kind of the grant. Nothing is posted for zero.
  void post_covered(std::string_view seller, const Id16& grant, std::string_view organisation,
                    std::string_view currency, Money amount);
  // What is billed: revenue of the seller -> receivable of the organisation.
  void post_billed(std::string_view seller, std::string_view organisation, std::string_view currency, Money amount);

  // Visits accounts in key order from `from_key` on until false.
  void scan(BytesView from_key, const std::function<bool(BytesView key, const AccountLine&)>& visit) const;

 private:
  // What was posted since the last flush sums to zero in each currency.
  void check(BytesView key, const AccountRow* row) override;
  void checked_all() override;
  AccountRow& account(std::string_view currency, MoneyAccount kind, std::string_view owner);

  machine::RowTable<AccountRow> table_;
  std::uint64_t flush_number_ = 1;
  std::map<Bytes, Money> posted_;  // per currency, while the rows are checked
  Bytes key_;
};

}  // namespace granary::billing
