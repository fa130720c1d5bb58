// Billing: folds one partition of granary.ledger.v1 (key: organisation) and fills the same partition of
// granary.billing.v1. Each part of a charge is cut when its month or its price changes (rating.h), priced by service
// time (price_books.h), emitted as charge.rated, summed up by month and posted to the money accounts (money.h). A part
// that cannot be priced yet waits, visible as `unrated`:
//   - while its project is unknown, for the customer kind decides the price: intake's lane may be slower than
//     allocation's; project.opened releases it;
//   - while no price book prices it (or its list amount would overflow); the next price book of its seller (of any, for
//     a part without one) that names its class releases it, in order; what has no price even then stays, in order.
// A price book holds for what is folded after it: charge lines are never rated again.
//
// Threads: as machine::Machine; queries belong to the thread of whoever shows it rows (Machine::show).
#pragma once

#include "services/billing/core/money.h"
#include "services/billing/core/price_books.h"
#include "services/billing/core/rating.h"
#include "services/billing/core/rows.h"
#include "services/billing/core/waiting.h"
#include "shared/machine/machine.h"
#include "shared/machine/row_table.h"
#include "shared/machine/rule_book.h"
#include "shared/machine/sweeps.h"

namespace granary::billing {

// Monthly sums as people see them (rows.h, ChargesRow). `period` is the service month, "2026-10". Amounts count `unit`.
struct ChargesLine {
  std::string organisation, project, resource, period;
  units::UnitKind unit{};
  std::string currency;  // empty: what waits
  ChargesRow sums;
};

class BillingMachine final : public machine::Machine {
 public:
  BillingMachine();

  [[nodiscard]] machine::RowForm row_form() const override { return kRowForm; }
  void open(const store::View& rows) override;
  void show(const store::View& rows) override { tables_.show(rows); }
  [[nodiscard]] bool has_rule(machine::Way way, const events::Event& event, std::uint64_t rules) const override;
  machine::Outcome apply_raw(const machine::RawInput& input, const machine::Context& context,
                             machine::Out& out) override;
  void apply_lane(const machine::LaneInput& input, const machine::Context& context, machine::Out& out) override;
  void apply_tick(Instant before, const machine::Context& context, machine::Out& out) override;
  [[nodiscard]] bool has_sweeps(const machine::Context&) const override { return sweeps_.any(); }
  void sweep(std::size_t rows, const machine::Context& context, machine::Out& out) override {
    sweeps_.go_on(rows, sweep_step(context, out));
  }
  [[nodiscard]] std::optional<Instant> swept_until(const machine::Context&) override { return sweeps_.since(); }
  [[nodiscard]] bool owes(machine::MachineKind from, std::uint16_t shard, std::uint64_t number) const override {
    return sweeps_.owes(from, shard, number);
  }
  void flush(store::WriteSet& rows) override { tables_.flush(rows); }
  void committed() override { tables_.committed(); }
  std::vector<machine::Figure> figures() override;

  // Visits monthly sums in key order from `from_key` on (empty: the first) until false. The keys of an organisation
  // begin with organisation_prefix(). A row's key and '\0' is the place after it.
  void charges(BytesView from_key, const std::function<bool(BytesView key, const ChargesLine&)>& visit) const;
  static Bytes organisation_prefix(std::string_view organisation);
  // Visits money accounts likewise.
  void accounts(BytesView from_key, const std::function<bool(BytesView key, const AccountLine&)>& visit) const;

 private:
  // What a charge line names of its usage.
  struct Usage {
    const std::string &organisation, &project, &source, &id;
    const std::optional<events::Job>& job;
    const std::optional<events::Reservation>& reservation;
  };

  using Context = machine::Context;
  using Out = machine::Out;
  using Input = machine::LaneInput;
  using Rules = machine::RuleBook<BillingMachine>;
  static const Rules& rules();

  // The rules, one for each event.
  void take_charge(const events::UsageCharged& charged, const Input& input, const Context& context, Out& out);
  void take_posting(const events::UnitsPosted& posted, const Input& input, const Context& context, Out& out);
  void learn_price_book(const events::PriceBookPublished& published, const Input& input, const Context& context,
                        Out& out);
  void open_project(const events::ProjectOpened& opened, const Input& input, const Context& context, Out& out);
  void register_organisation(const events::OrganisationRegistered& registered, const Input& input,
                             const Context& context, Out& out);
  void state_source(const events::SourceCompleted& completed, const Input& input, const Context& context, Out& out);

  // Of a part that waits: for a price, or for its project, which is known now.
  WaitingRoom::Fate price(const WaitingRow& row, std::vector<WaitingRow>& instead, const Context& context, Out& out);
  WaitingRoom::Fate place(const WaitingRow& row, const Context& context, Out& out);
  machine::Sweeps::Step sweep_step(const Context& context, Out& out);
  // Cuts `part` into pieces_; the project is known.
  void cut_part(const events::ChargePart& part, const ProjectRow& project);
  void rate(const Usage& usage, const events::ChargePart& part, const Piece& piece, const machine::Context& context,
            machine::Out& out);
  // The piece as a part of its own that waits.
  static WaitingRow waiting_row(const Usage& usage, const events::ChargePart& part, const Piece& piece);
  void wait(QueueKind kind, std::string_view name, const WaitingRow& row);
  // Adds to what is shown as unrated in the month of the row, or takes from it.
  enum class Change : std::uint8_t { add, take };
  void count_unrated(const WaitingRow& row, Change change);
  TotalsRow& totals() { return totals_.edit({}); }

  machine::TableSet tables_;
  machine::RowTable<OrganisationRow> organisations_;
  machine::RowTable<ProjectRow> projects_;
  machine::RowTable<events::PriceBookPublished> published_;
  machine::RowTable<ChargesRow> charges_;
  machine::RowTable<SourceRow> sources_;
  machine::RowTable<TotalsRow> totals_;
  MoneyBooks money_;
  WaitingRoom waiting_;
  machine::Sweeps sweeps_;
  PriceBooks books_;

  // Reused from event to event.
  std::vector<Piece> pieces_;
  events::ChargeRated line_;
  Bytes charges_key_;
};

}  // namespace granary::billing
