// A price book is published: it prices what is folded from now on, and what waits for it.
#include "services/billing/core/machine.h"

#include <algorithm>

#include "shared/base/probe.h"

namespace granary::billing {

using machine::Context;

void BillingMachine::learn_price_book(const events::PriceBookPublished& published, const Input&, const Context& context,
                                      Out& out) {
  const std::uint64_t number = ++totals().books;
  Bytes key;
  append_u64(key, number);
  published_.edit(key) = published;
  books_.add(number, published);

  std::vector<std::string_view> reviewed;
  for (const events::PriceEntry& entry : published.prices) {
    if (std::find(reviewed.begin(), reviewed.end(), entry.class_name) != reviewed.end()) continue;
    reviewed.push_back(entry.class_name);
    waiting_.review(
        QueueKind::unpriced, entry.class_name, [&](const WaitingRow& row, std::vector<WaitingRow>& instead) {
          if (!row.part.seller.empty() && row.part.seller != published.seller) {
            GRANARY_PROBE("a part waits on for its own seller's price");
            return WaitingRoom::Fate::stays;
          }
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
        });
  }
}

}  // namespace granary::billing
