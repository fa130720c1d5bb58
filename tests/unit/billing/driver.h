// Feeds a billing machine over a memory store and keeps what it emits; and short ways to say its inputs.
#pragma once

#include <gtest/gtest.h>

#include <map>

#include "services/billing/core/machine.h"
#include "shared/store/memory_store.h"
#include "tests/support/recording_out.h"

namespace granary::billing {

using events::PartFunding;
using units::Price;

inline constexpr units::Int128 kHour = 3'600'000'000;  // a resource-hour in base units
inline constexpr std::uint16_t kShard = 3;

inline Instant at(std::string_view text) {
  const units::ParsedTime parsed = units::parse_time(text);
  EXPECT_EQ(parsed.trouble, units::TimeTrouble::none) << text;
  return parsed.at;
}

// "2.50" as 10^-9 of a currency.
inline units::Int128 nano(std::string_view text) {
  const units::Decimal parsed = units::parse_decimal(text, 9);
  EXPECT_EQ(parsed.trouble, units::DecimalTrouble::none) << text;
  return parsed.scaled;
}
inline std::string money(Money amount) {
  return units::format_fixed(amount.value(), 9);
}
inline std::string count(Amount amount) {
  return units::format_integer(amount.value());
}

inline events::PriceEntry priced(std::string class_name, std::string_view price,
                                 std::vector<events::CustomerKind> kinds = {}, std::vector<std::string> purposes = {}) {
  return {std::move(class_name), Price(nano(price)), "resource-hour", std::move(kinds), std::move(purposes)};
}

inline events::PriceBookPublished book(std::string seller, std::string version, std::string_view effective,
                                       std::vector<events::PriceEntry> prices, std::string currency = "EUR") {
  return {std::move(seller), std::move(version), at(effective), std::move(currency), std::move(prices), {}};
}

inline events::ProjectOpened project(std::string name, std::string organisation = "aurora",
                                     events::CustomerKind kind = events::CustomerKind::sme, std::string purpose = "") {
  return {std::move(name), std::move(organisation), kind, std::move(purpose), {}};
}

// A part of class `gpu` from a lot of grant 7, sold by `aif`; change what is to be otherwise.
inline events::ChargePart part(std::string_view from, std::string_view to, units::Int128 amount,
                               PartFunding funding = PartFunding::covered) {
  events::ChargePart made;
  made.class_name = "gpu";
  made.unit = units::UnitKind::resource_us;
  made.from = at(from);
  made.to = at(to);
  made.amount = Amount(amount);
  made.funding = funding;
  made.seller = "aif";
  if (funding == PartFunding::uncovered_bill || funding == PartFunding::uncovered_record) {
    made.from_account = events::Account::outside;
    made.to_account = events::Account::uncovered;
  } else {
    made.from_account = events::Account::available;
    made.to_account = events::Account::used;
    made.grant.fill(7);
    made.lot = 1;
  }
  return made;
}

inline events::UsageCharged charged(std::vector<events::ChargePart> parts, std::string id = "job-1",
                                    std::string project_name = "llm", std::string organisation = "aurora") {
  events::UsageCharged made;
  made.source = "slurm://aif1";
  made.id = std::move(id);
  made.project = std::move(project_name);
  made.organisation = std::move(organisation);
  made.start = parts.front().from;
  made.end = parts.back().to;
  made.metering_number = 1;
  made.parts = std::move(parts);
  return made;
}

using StoreRows = std::map<Bytes, Bytes>;

class Driver {
 public:
  enum class Flush { on_request, after_each_event };
  explicit Driver(Flush flush = Flush::on_request) : flush_(flush) { open(); }

  // A new machine over what was flushed.
  void open() {
    machine_ = std::make_unique<BillingMachine>();
    machine_->open(store_);
  }

  void apply(const events::Event& event, events::MachineKind from = events::MachineKind::allocation) {
    machine::Context context;
    context.machine = events::MachineKind::billing;
    context.shard = kShard;
    context.partitions = 8;
    context.now = now;
    if (machine_->has_sweeps(context)) machine_->sweep(machine::kSweepRows, context, out);
    machine_->apply_lane({from, 1, ++number_, event}, context, out);
    if (flush_ == Flush::after_each_event) flush();
  }

  void flush() {
    store::WriteSet rows;
    machine_->flush(rows);
    ASSERT_TRUE(store_.commit(rows).ok());
    machine_->committed();
  }

  StoreRows store_rows() const {
    StoreRows rows;
    store_.scan("", "", [&rows](BytesView key, BytesView value) { return rows.emplace(key, value), true; });
    return rows;
  }

  std::vector<events::ChargeRated> lines() const { return out.all<events::ChargeRated>(); }
  // The line of that number, from 0.
  events::ChargeRated line(std::size_t index) const {
    const auto all = lines();
    EXPECT_LT(index, all.size());
    return index < all.size() ? all[index] : events::ChargeRated{};
  }

  std::vector<ChargesLine> charges() const {
    std::vector<ChargesLine> found;
    machine_->charges("", [&found](BytesView, const ChargesLine& one) { return found.push_back(one), true; });
    return found;
  }
  std::vector<AccountLine> accounts() const {
    std::vector<AccountLine> found;
    machine_->accounts("", [&found](BytesView, const AccountLine& one) { return found.push_back(one), true; });
    return found;
  }
  // "-4.300000000", or "" if there is no such account.
  std::string balance(MoneyAccount kind, std::string_view owner, std::string_view currency = "EUR") const {
    for (const AccountLine& one : accounts())
      if (one.kind == kind && one.owner == owner && one.currency == currency) return money(one.balance);
    return "";
  }
  // The amounts that wait, queue by queue: "aif/gpu:100 aif/gpu:200", of a project that is not known "llm:100".
  std::string waiting() {
    std::string found;
    each_row<WaitingRow>(Table::waiting, [&found](BytesView key, const WaitingRow& row) {
      BytesView rest = key.substr(1);
      BytesView name = *take_part(rest);
      if (static_cast<QueueKind>(key[0]) == QueueKind::unpriced) {
        const std::string seller(*take_part(name));
        found +=
            (found.empty() ? "" : " ") + seller + "/" + std::string(*take_part(name)) + ":" + count(row.part.amount);
      } else {
        found += (found.empty() ? "" : " ") + std::string(name) + ":" + count(row.part.amount);
      }
    });
    return found;
  }
  // How many pieces wait.
  std::uint64_t unrated() { return machine_->figures().front().value; }
  // Visits the rows of a table in key order, after a flush.
  template <class Row, class Visit>
  void each_row(Table table, Visit visit) {
    flush();
    const Bytes from(1, static_cast<char>(table));
    store_.scan(from, prefix_end(from), [&visit](BytesView key, BytesView value) {
      Row row;
      EXPECT_TRUE(codec::decode(value, row));
      visit(key.substr(1), row);
      return true;
    });
  }
  BillingMachine& machine() { return *machine_; }

  test::RecordingOut out;
  Instant now;  // the ledger's time

 private:
  Flush flush_;
  store::MemoryStore store_;
  std::unique_ptr<BillingMachine> machine_;
  std::uint64_t number_ = 0;
};

}  // namespace granary::billing
