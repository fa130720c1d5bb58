// Scenarios as text that a finance officer can read: a line says what happens or asks, the lines under «----» what
// Granary says to it. tests/scenario/README.md has the words. One thread.
#pragma once

#include <string>

#include "tests/scenario/ledger.h"

namespace granary::scenario {

// Called after each step of a scenario but the last, when all that came of it has arrived: how many are done, of how
// many. It may stop the ledger, change what lies on its disk, and start it again.
using AfterStep = std::function<void(Ledger& ledger, std::size_t done, std::size_t all)>;

// Runs every line of `text` against `ledger`; the same text with what was really said in the places of the answers. A
// line that is no sentence of the language aborts with its text.
std::string run(const std::string& text, Ledger& ledger, const AfterStep& after_step = nullptr);

}  // namespace granary::scenario
