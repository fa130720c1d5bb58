#include "services/intake/core/price_books.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/intake/core/refusals.h"

namespace granary::intake {

using events::PriceBookPublished;
using machine::Outcome;

Outcome PriceBooks::check(const PriceBookPublished& book, const ClassesAndWindows& policies) const {
  for (std::size_t i = 0; i < book.prices.size(); ++i) {
    const events::PriceEntry& entry = book.prices[i];
    const std::string pointer = "/prices/" + std::to_string(i);
    const auto published = policies.classes_from(entry.class_name, book.effective);
    if (published.empty())
      return refuse(Refusal::unknown_resource_class, pointer + "/class",
                    fmt::format("publish a policy resource_classes that lists '{}' first, or price a class of the list",
                                entry.class_name));
    const auto unit = units::named_unit(entry.per);
    if (!unit || std::none_of(published.begin(), published.end(),
                              [&](const events::ResourceClass* one) { return one->unit == unit->kind; }))
      return refuse(
          Refusal::unit_differs, pointer + "/per",
          fmt::format("price '{}' per a unit made of {}", entry.class_name, units::unit_name(published.front()->unit)));
  }
  const auto seller = sellers_.find(book.seller);
  if (seller == sellers_.end()) return {};
  const auto later = seller->second.upper_bound(book.effective);
  const Kept own = kept(book);
  if (later != seller->second.begin())
    if (Outcome outcome = compare(std::prev(later)->second, own, "the book before this one prices",
                                  "price it too, or name it in `without` if it is to have no such price");
        outcome.judgement != machine::Judgement::accepted)
      return outcome;
  if (later == seller->second.end()) return {};
  const std::string from = units::format_time(later->first);
  return compare(own, later->second, "the book from " + from + " on leaves out or narrows",
                 "publish a book from " + from + " on again first, which prices it or names it in `without`");
}

Outcome PriceBooks::compare(const Kept& before, const Kept& after, const std::string& which,
                            const std::string& what_to_do) {
  for (const auto& [name, reaches] : before.classes) {
    if (after.without.contains(name)) continue;
    const auto found = after.classes.find(name);
    const Reaches left = found == after.classes.end() ? Reaches{} : found->second;
    for (std::size_t kind = 0; kind < kCustomerKinds; ++kind) {
      if (left[kind] >= reaches[kind]) continue;
      std::string whom;
      if (found != after.classes.end())
        whom = fmt::format(" for kind {}{}", codec::EnumNames<events::CustomerKind>::kNames[kind],
                           reaches[kind] == Reach::all_purposes ? " and every purpose" : "");
      return refuse(Refusal::class_left_out, "/prices", fmt::format("{} '{}'{}; {}", which, name, whom, what_to_do));
    }
  }
  return {};
}

void PriceBooks::learn(const PriceBookPublished& book) {
  sellers_[book.seller][book.effective] = kept(book);
}

PriceBooks::Kept PriceBooks::kept(const PriceBookPublished& book) {
  return {classes_of(book), {book.without.begin(), book.without.end()}};
}

PriceBooks::Classes PriceBooks::classes_of(const PriceBookPublished& book) {
  Classes classes;
  for (const events::PriceEntry& entry : book.prices) {
    const Reach reach = entry.purposes.empty() ? Reach::all_purposes : Reach::some_purposes;
    Reaches& reaches = classes[entry.class_name];
    for (std::size_t kind = 0; kind < kCustomerKinds; ++kind) {
      const auto named = static_cast<events::CustomerKind>(kind + 1);
      const auto& kinds = entry.customer_kinds;
      if (kinds.empty() || std::find(kinds.begin(), kinds.end(), named) != kinds.end())
        reaches[kind] = std::max(reaches[kind], reach);
    }
  }
  return classes;
}

}  // namespace granary::intake
