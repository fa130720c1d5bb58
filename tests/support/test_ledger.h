// The id of the ledgers that tests make. A value.
#pragma once

#include "shared/base/bytes.h"

namespace granary::test {

inline constexpr Id16 kTestLedger{0x7e, 0x57, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};

}  // namespace granary::test
