// A price book is published: it prices what is folded from now on, and what waits for it.
#include "services/billing/core/machine.h"

#include <algorithm>

#include "shared/base/probe.h"

namespace granary::billing {

using machine::Context;

void BillingMachine::learn_price_book(const events::PriceBookPublished& published, const Input& input,
                                      const Context& context, Out& out) {
  const std::uint64_t number = ++totals().books;
  Bytes key;
  append_u64(key, number);
  published_.edit(key) = published;
  books_.add(number, published);

  // What waits for this seller, and what any seller may price.
  std::vector<Bytes> queues;
  for (const events::PriceEntry& entry : published.prices)
    for (const std::string_view seller : {std::string_view(published.seller), std::string_view()})
      if (Bytes queue = unpriced_queue(seller, entry.class_name);
          std::find(queues.begin(), queues.end(), queue) == queues.end())
        queues.push_back(std::move(queue));
  std::size_t rows = machine::kSweepRows;
  for (const Bytes& queue : queues)
    if (auto sweep = waiting_.sweep_of(QueueKind::unpriced, queue))
      sweeps_.begin(*std::move(sweep), input, context.now, rows, sweep_step(context, out));
}

machine::Sweeps::Step BillingMachine::sweep_step(const Context& context, Out& out) {
  return [this, &context, &out](machine::SweepRow& sweep, std::size_t rows, bool& is_done) {
    const auto look = [&](const WaitingRow& row, std::vector<WaitingRow>& instead) {
      return sweep.kind == static_cast<std::uint64_t>(QueueKind::unpriced) ? price(row, instead, context, out)
                                                                           : place(row, context, out);
    };
    return waiting_.review(sweep, rows, look, is_done);
  };
}

WaitingRoom::Fate BillingMachine::price(const WaitingRow& row, std::vector<WaitingRow>& instead, const Context& context,
                                        Out& out) {
  const ProjectRow* project = projects_.find(row.project);
  GRANARY_CHECK(project != nullptr, "a part of an unknown project waits for a price");
  cut_part(row.part, *project);
  if (std::none_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return bool(piece.price); })) {
    GRANARY_PROBE("a new price book has no price for a part that waits");
    return WaitingRoom::Fate::stays;
  }
  const Usage usage{row.organisation, row.project, row.source, row.id, row.job, row.reservation};
  count_unrated(row, Change::take);
  for (const Piece& piece : pieces_) {
    if (piece.price) {
      rate(usage, row.part, piece, context, out);
    } else {
      GRANARY_PROBE("a new price book prices some of a part that waits");
      instead.push_back(waiting_row(usage, row.part, piece));
      count_unrated(instead.back(), Change::add);
    }
  }
  return WaitingRoom::Fate::goes;
}

}  // namespace granary::billing
