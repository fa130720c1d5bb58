// The benchmarks, one function and one file each. Each prints a table, then its result as one JSON object. One thread
// calls; throws CannotMeasure.
#pragma once

#include "tests/bench/bench_ledger.h"

namespace granary::bench {

void bench_pipeline(const Arguments& arguments);

}  // namespace granary::bench
