// The benchmarks, one function and one file each. Each prints tables, then its result as one JSON object. One thread
// calls; throws CannotMeasure.
#pragma once

#include "tests/bench/bench_ledger.h"

namespace granary::bench {

// `at_rate_s`: how long to measure at a tenth and at half of the full rate afterwards; 0: not at all.
void bench_pipeline(const Arguments& arguments, int at_rate_s);
void bench_intake(const Arguments& arguments, int connections, std::uint64_t batch);
void bench_replay(const Arguments& arguments);
void bench_read(const Arguments& arguments, int connections, int reads_per_s);
void bench_state(const Arguments& arguments);
void bench_scale(const Arguments& arguments);
// `what`: lots, project, binding or prices.
void bench_sweeps(const Arguments& arguments, const std::string& what);

}  // namespace granary::bench
