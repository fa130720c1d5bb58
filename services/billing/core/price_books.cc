#include "services/billing/core/price_books.h"

#include <algorithm>
#include <tuple>

#include "shared/base/probe.h"
#include "shared/machine/effective.h"

namespace granary::billing {

using units::Instant;

namespace {

template <class T, class U>
bool names_it_or_none(const std::vector<T>& names, const U& wanted) {
  return names.empty() || std::find(names.begin(), names.end(), wanted) != names.end();
}

}  // namespace

void PriceBooks::add(std::uint64_t number, const events::PriceBookPublished& published) {
  Book book;
  book.number = number;
  book.seller = published.seller;
  book.version = published.version;
  book.currency = published.currency;
  book.effective = published.effective;
  for (const events::PriceEntry& entry : published.prices) {
    const auto per_unit = units::named_unit(entry.per);
    if (!per_unit) continue;
    book.entries[entry.class_name].push_back({entry.price, entry.per, *per_unit, entry.customer_kinds, entry.purposes});
  }
  machine::publish(sellers_[published.seller], std::move(book));
}

PriceBooks::Pick PriceBooks::pick(const PriceQuestion& question, Instant at) const {
  if (!question.seller.empty()) {
    const auto found = sellers_.find(question.seller);
    const Book* book = found == sellers_.end() ? nullptr : machine::in_force(found->second, at);
    const Entry* entry = book == nullptr ? nullptr : entry_for(*book, question);
    return entry == nullptr ? Pick{} : Pick{book, entry};
  }
  Pick best;
  for (const auto& [seller, timeline] : sellers_) {
    const Book* book = machine::in_force(timeline, at);
    const Entry* entry = book == nullptr ? nullptr : entry_for(*book, question);
    if (entry == nullptr) continue;
    if (best) GRANARY_PROBE("more than one seller prices use that names none");
    if (!best || std::tie(best.book->effective, best.book->number) < std::tie(book->effective, book->number))
      best = {book, entry};
  }
  return best;
}

void PriceBooks::append_edges(std::string_view seller, Instant after, Instant before,
                              std::vector<Instant>& edges) const {
  if (seller.empty()) {
    for (const auto& [name, timeline] : sellers_) append_edges(timeline, after, before, edges);
  } else if (const auto found = sellers_.find(seller); found != sellers_.end()) {
    append_edges(found->second, after, before, edges);
  }
}

const PriceBooks::Entry* PriceBooks::entry_for(const Book& book, const PriceQuestion& question) {
  const auto entries = book.entries.find(question.class_name);
  if (entries == book.entries.end()) return nullptr;
  for (const Entry& entry : entries->second)
    if (entry.per_unit.kind == question.unit && names_it_or_none(entry.customer_kinds, question.customer_kind) &&
        names_it_or_none(entry.purposes, question.purpose))
      return &entry;
  return nullptr;
}

void PriceBooks::append_edges(const Timeline& timeline, Instant after, Instant before, std::vector<Instant>& edges) {
  for (auto next = machine::behind_effective(timeline, after); next != timeline.end() && next->effective < before;
       ++next)
    edges.push_back(next->effective);
}

}  // namespace granary::billing
