// A token: places of one ledger. A write answers with one, and a read may wait for it. Opaque outside. Values; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/machine/topology.h"

namespace granary::runtime {

// A place in an inbox: the record at `offset`.
struct Place {
  machine::Topic topic{};
  std::uint16_t partition = 0;
  std::uint64_t offset = 0;
  bool operator==(const Place&) const = default;
};

// The first bytes of a ledger's id. They tell its tokens and cursors from another ledger's.
using LedgerMark = std::uint32_t;

// The places that have to be folded.
struct Token {
  std::vector<Place> places;
  LedgerMark ledger = 0;  // whose places they are
  // Empty if there are no places.
  [[nodiscard]] std::string text() const;
  static Result<Token> parse(std::string_view text);
};

}  // namespace granary::runtime
