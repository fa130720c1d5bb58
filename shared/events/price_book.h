// Price books of sellers.
#pragma once

#include "shared/events/organisation.h"

namespace granary::events {

// The price of `per` (see units::named_unit) of a class, for the customers and purposes named (none named: for all). Of
// the entries that fit, the first in the list holds.
struct PriceEntry {
  std::string class_name;
  Price price;
  std::string per;
  std::vector<CustomerKind> customer_kinds;
  std::vector<std::string> purposes;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "price", s.price, kRequired);
    visit(3, "per", s.per, kRequired);
    visit(4, "customer_kinds", s.customer_kinds, kOptional);
    visit(5, "purposes", s.purposes, kOptional);
  }
};

struct PriceBookPublished {
  std::string seller, version;
  Instant effective;
  std::string currency;
  std::vector<PriceEntry> prices;
  std::vector<std::string> without;  // classes that this book prices for fewer than the one before, on purpose
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "seller", s.seller, kRequired);
    visit(2, "version", s.version, kRequired);
    visit(3, "effective", s.effective, kRequired);
    visit(4, "currency", s.currency, kRequired);
    visit(5, "prices", s.prices, kRequired);
    visit(6, "without", s.without, kOptional);
  }
};

// What the event alone shows to be wrong; `at` is the JSON pointer to its data.
Trouble check(const PriceBookPublished& price_book, const std::string& at);

}  // namespace granary::events
