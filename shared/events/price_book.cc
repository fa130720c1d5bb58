#include "shared/events/price_book.h"

#include <fmt/format.h>

#include "shared/events/form.h"

namespace granary::events {

namespace {

// The kinds of customer that an entry is for, a bit each.
unsigned kinds_of(const PriceEntry& entry) {
  unsigned kinds = entry.customer_kinds.empty() ? ~0U : 0U;
  for (const CustomerKind kind : entry.customer_kinds) kinds |= 1U << static_cast<unsigned>(kind);
  return kinds;
}

// Whether `entry` never holds, as `first` comes before it.
bool is_hidden_by(const PriceEntry& first, const PriceEntry& entry) {
  return first.class_name == entry.class_name && (kinds_of(entry) & ~kinds_of(first)) == 0 &&
         (first.purposes.empty() || first.purposes == entry.purposes) &&
         units::named_unit(first.per)->kind == units::named_unit(entry.per)->kind;
}

}  // namespace

Trouble check(const PriceBookPublished& book, const std::string& at) {
  if (!upper_letters(book.currency, 3))
    return FormError{"malformed", at + "/currency", book.currency, "send three capital letters (ISO 4217): EUR"};
  for (std::size_t i = 0; i < book.prices.size(); ++i)
    if (auto trouble = check_unit(book.prices[i].per, at + "/prices/" + std::to_string(i) + "/per")) return trouble;
  for (std::size_t i = 0; i < book.prices.size(); ++i)
    for (std::size_t before = 0; before < i; ++before) {
      if (!is_hidden_by(book.prices[before], book.prices[i])) continue;
      return FormError{
          "price_hidden", fmt::format("{}/prices/{}", at, i), book.prices[i].class_name,
          fmt::format("entry {} holds for all that this one names: put the narrower entry first, or leave one out",
                      before)};
    }
  return std::nullopt;
}

}  // namespace granary::events
