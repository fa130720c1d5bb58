// From the lots that a decision awards to the lots of a grant, in base units. Pure; any thread.
#pragma once

#include "services/intake/core/classes_and_windows.h"
#include "shared/machine/machine.h"

namespace granary::intake {

// This number of lots fits into one event of a lane with room to spare.
inline constexpr std::size_t kLotsMax = 200;

// Tests each lot against the classes published as of `at` and appends it to `lots`, numbered from 1. Returns the first
// broken rule (`lots` is then anything), else accepted.
machine::Outcome open_lots(const std::vector<events::LotAwarded>& awarded, const ClassesAndWindows& policies,
                           units::Instant at, std::vector<events::LotOpened>& lots);

}  // namespace granary::intake
