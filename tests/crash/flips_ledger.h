// A small real ledger on the disk, for tests that damage it: the four machines over the embedded journal and stores of
// RocksDB, with buffers so small that some of everything stands in logs and some in tables.
//
// Each function here is a whole process: it ends the calling one. Run it in a child. One thread.
#pragma once

#include <string>

namespace granary::test {

// How a life ends: by one of these, or by a signal.
inline constexpr int kSaid = 0;       // all it says stands in the file `says`
inline constexpr int kRefused = 3;    // the start or the log refused; the last line of the log says why
inline constexpr int kParked = 4;     // a partition is parked
inline constexpr int kUnsettled = 5;  // shards do not come to rest

// Makes the ledger in `data`, in two lives, so that a part of all rows stands in tables.
[[noreturn]] void build_ledger(const std::string& data);

// Opens the ledger in `data`, lets it come to rest, and writes what it says into the file `says`; then takes a few more
// usages and writes what that came to, and whether all rows are what the log folds to. Two ledgers that say the same
// have the same text. Of inboxes as much is told as stood when it was built (`data`/ends).
[[noreturn]] void live(const std::string& data, const std::string& says);

// Writes a record of the checkpoints topic again with one bit flipped, `number` choosing record and bit, past
// everything that guards it on the disk. Ends with 0.
[[noreturn]] void rewrite_checkpoint(const std::string& data, unsigned long long number);

}  // namespace granary::test
