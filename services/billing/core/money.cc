#include "services/billing/core/money.h"

namespace granary::billing {
namespace {

void add(AccountRow& row, Money amount) {
  row.balance += amount;
  ++row.postings;
}

}  // namespace

MoneyBooks::MoneyBooks(machine::TableSet& tables, std::size_t rows_max)
    : table_(tables, Table::accounts, rows_max, this) {}

AccountRow& MoneyBooks::account(std::string_view currency, MoneyAccount kind, std::string_view owner) {
  key_.clear();
  append_part(key_, currency);
  append_u8(key_, static_cast<std::uint8_t>(kind));
  append_part(key_, owner);
  AccountRow& row = table_.edit(key_);
  if (row.flush_number != flush_number_) {
    row.flush_number = flush_number_;
    row.flushed = row.balance;
  }
  return row;
}

void MoneyBooks::post_covered(std::string_view seller, const Id16& grant, std::string_view organisation,
                              std::string_view currency, Money amount) {
  if (amount.is_zero()) return;
  add(account(currency, MoneyAccount::in_kind_value, seller), -amount);
  AccountRow& in_kind = account(currency, MoneyAccount::in_kind, view_of(grant));
  in_kind.organisation.assign(organisation);
  add(in_kind, amount);
}

void MoneyBooks::post_billed(std::string_view seller, std::string_view organisation, std::string_view currency,
                             Money amount) {
  if (amount.is_zero()) return;
  add(account(currency, MoneyAccount::revenue, seller), -amount);
  AccountRow& receivable = account(currency, MoneyAccount::receivable, organisation);
  receivable.organisation.assign(organisation);
  add(receivable, amount);
}

void MoneyBooks::check(BytesView key, const AccountRow* row) {
  GRANARY_CHECK(row != nullptr, "a money account vanished");
  BytesView rest = key.substr(1);
  const auto currency = take_part(rest);
  GRANARY_CHECK(currency.has_value(), "the key of a money account has no currency");
  posted_[Bytes(*currency)] += row->balance - row->flushed;
}

void MoneyBooks::checked_all() {
  for (const auto& [currency, sum] : posted_)
    GRANARY_CHECK(sum.is_zero(), "the money accounts in " + currency + " do not sum to zero");
  posted_.clear();
  ++flush_number_;
}

void MoneyBooks::scan(BytesView from_key, const std::function<bool(BytesView key, const AccountLine&)>& visit) const {
  table_.scan(from_key, [&visit](BytesView key, const AccountRow& row) {
    BytesView rest = key;
    const auto currency = take_part(rest);
    GRANARY_CHECK(currency.has_value() && !rest.empty(), "the key of a money account is cut short");
    const auto kind = static_cast<MoneyAccount>(rest.front());
    rest.remove_prefix(1);
    const auto owner = take_part(rest);
    GRANARY_CHECK(owner.has_value(), "the key of a money account has no owner");
    return visit(key, {Bytes(*currency), kind, kind == MoneyAccount::in_kind ? to_hex(*owner) : Bytes(*owner),
                       row.organisation, row.balance, row.postings});
  });
}

}  // namespace granary::billing
