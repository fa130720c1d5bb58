// A project is opened: its customer kind is known, so that its parts that wait can be priced.
#include "services/billing/core/machine.h"
#include "shared/base/probe.h"

namespace granary::billing {

using machine::Context;

void BillingMachine::open_project(const events::ProjectOpened& opened, const Input& input, const Context& context,
                                  Out& out) {
  ProjectRow& changed = projects_.edit(opened.project);
  changed.organisation = opened.organisation;
  changed.customer_kind = opened.customer_kind;
  changed.purpose = opened.purpose;
  auto sweep = waiting_.sweep_of(QueueKind::unknown_project, opened.project);
  if (!sweep) return;
  std::size_t rows = machine::kSweepRows;
  sweeps_.begin(*std::move(sweep), input, context.now, rows, sweep_step(context, out));
}

WaitingRoom::Fate BillingMachine::place(const WaitingRow& row, const Context& context, Out& out) {
  const Usage usage{row.organisation, row.project, row.source, row.id, row.job, row.reservation};
  count_unrated(row, Change::take);
  cut_part(row.part, *projects_.find(row.project));
  for (const Piece& piece : pieces_) {
    if (piece.price) {
      GRANARY_PROBE("a charge that came before its project is rated");
      rate(usage, row.part, piece, context, out);
    } else {
      GRANARY_PROBE("a charge that came before its project waits on for a price");
      wait(QueueKind::unpriced, unpriced_queue(row.part.seller, row.part.class_name),
           waiting_row(usage, row.part, piece));
    }
  }
  return WaitingRoom::Fate::goes;
}

}  // namespace granary::billing
