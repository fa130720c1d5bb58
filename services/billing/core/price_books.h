// The price books that a shard knows, and which price holds. All of them stay in memory: they are few.
//
// Which book of a seller: machine/effective.h, by service time. A new book replaces the older ones whole: a class that
// it does not price for that customer has no price from then on, and older books are not searched. In the book, the
// first entry holds that names the class, counts its unit, and fits customer kind and purpose. A part without a seller
// (use that no lot covers, if no policy names one) takes, of all sellers' books in force that price it, the one with
// the latest effective, then the later published.
//
// Threads: belongs to its machine's thread. Pointers into it live until the next add().
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "shared/events/price_book.h"

namespace granary::billing {

// Who wants a price, and of what.
struct PriceQuestion {
  std::string_view seller;  // empty: any
  std::string_view class_name;
  units::UnitKind unit{};
  events::CustomerKind customer_kind{};
  std::string_view purpose;  // empty: none
};

class PriceBooks {
 public:
  struct Entry {
    units::Price price;
    std::string per;
    units::NamedUnit per_unit;
    std::vector<events::CustomerKind> customer_kinds;
    std::vector<std::string> purposes;
  };
  struct Book {
    std::uint64_t number = 0;  // in the order of publication
    std::string seller, version, currency;
    units::Instant effective;
    std::map<std::string, std::vector<Entry>, std::less<>> entries;  // per class, in the book's order
  };
  // A price and the book that has it. No entry: there is none.
  struct Pick {
    const Book* book = nullptr;
    const Entry* entry = nullptr;
    bool operator==(const Pick&) const = default;
    explicit operator bool() const { return entry != nullptr; }
  };

  // `number` grows from call to call. An entry whose `per` is no unit never fits.
  void add(std::uint64_t number, const events::PriceBookPublished& published);

  [[nodiscard]] Pick pick(const PriceQuestion& question, units::Instant at) const;

  // Appends the effective times in (after, before) at which the seller's prices (empty: any seller's) may change, in
  // no order, perhaps twice.
  void append_edges(std::string_view seller, units::Instant after, units::Instant before,
                    std::vector<units::Instant>& edges) const;

 private:
  using Timeline = std::vector<Book>;
  static const Entry* entry_for(const Book& book, const PriceQuestion& question);
  static void append_edges(const Timeline& timeline, units::Instant after, units::Instant before,
                           std::vector<units::Instant>& edges);

  std::map<std::string, Timeline, std::less<>> sellers_;
};

}  // namespace granary::billing
