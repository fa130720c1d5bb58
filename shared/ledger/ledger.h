// A ledger in a journal: its topics, and the genesis record at the start of each inbox partition, which says which
// ledger this is and how many partitions it has. Start-up only; one thread.
#pragma once

#include <optional>

#include "shared/base/clock.h"
#include "shared/journal/journal.h"
#include "shared/machine/topology.h"

namespace granary::runtime {

// What the genesis records of a ledger say.
struct Ledger {
  Id16 id{};
  std::uint16_t partitions = 0;
  std::uint64_t rules = 0;                                  // the rules version that it begins with
  const machine::Topology* topology = &machine::kTopology;  // of this build; tests have others
};

// What a new ledger should be.
struct NewLedger {
  std::optional<std::uint16_t> partitions = {};  // default 8
  std::optional<Id16> id = {};                   // for tests; default: random
};

// Opens the ledger of the journal, or makes one, which begins with the newest rules version that this build knows. A
// creation that was cut short is finished. If two processes make a ledger at once, the second takes the first one's.
// Errors: `invalid_input` for a number of partitions outside 1 to kPartitionsMax; `conflict` if `partitions` or `id` is
// given and is not the ledger's; `corrupt` if a partition begins with another ledger's genesis or none.
Result<Ledger> open_ledger(journal::Journal& journal, const NewLedger& wanted, const Clock& clock);

// The ledger that is in the journal; `not_found` if there is none.
Result<Ledger> read_ledger(const journal::Journal& journal);

// Checks that each inbox partition begins with this ledger's genesis. Errors: `corrupt` (another ledger's, or none),
// and those of reads.
Result<void> check_ledger(const journal::Journal& journal, const Ledger& ledger);

// Enough to use the cores of one server and to spread over a few; the number can never be changed.
inline constexpr std::uint16_t kPartitionsDefault = 8;
// Each shard has a store, a fold and lanes to all others: more would cost gigabytes of memory in one process. A
// checkpoint names all lanes to an inbox, and fits a record of 60 KiB with these.
inline constexpr std::uint16_t kPartitionsMax = 256;

}  // namespace granary::runtime
