// What intake keeps of the price books, to refuse one that cannot work when it is published: a price in a unit of
// another kind, a price of a class that was not published, a book that leaves out what the seller's book before prices.
//
// Threads: belongs to the machine's thread. Ownership: owns what it keeps; prices themselves are billing's.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>

#include "services/intake/core/classes_and_windows.h"
#include "shared/machine/machine.h"

namespace granary::intake {

class PriceBooks {
 public:
  // Tests a book against the classes that are in force from its effective time on, against the seller's book that it
  // follows or replaces (that with the latest effective time at or before its own), and against the one that follows
  // it. The first broken rule, else accepted.
  [[nodiscard]] machine::Outcome check(const events::PriceBookPublished& book, const ClassesAndWindows& policies) const;

  // In the order of publication.
  void learn(const events::PriceBookPublished& book);

 private:
  // For whom a book prices a class, for each kind of customer.
  enum class Reach : std::uint8_t { nobody, some_purposes, all_purposes };
  static constexpr std::size_t kCustomerKinds = codec::EnumNames<events::CustomerKind>::kNames.size();
  using Reaches = std::array<Reach, kCustomerKinds>;
  using Classes = std::map<std::string, Reaches, std::less<>>;
  struct Kept {
    Classes classes;
    std::set<std::string, std::less<>> without;
  };
  // Refuses for the first class that `after` prices for fewer than `before`, and does not name in `without`. The hint
  // says `which` of the two, and `what_to_do`.
  static machine::Outcome compare(const Kept& before, const Kept& after, const std::string& which,
                                  const std::string& what_to_do);
  static Kept kept(const events::PriceBookPublished& book);
  static Classes classes_of(const events::PriceBookPublished& book);

  std::map<std::string, std::map<units::Instant, Kept>, std::less<>> sellers_;
};

}  // namespace granary::intake
