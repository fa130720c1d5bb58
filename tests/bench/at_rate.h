// How long an event takes from its append to its billing record, at a rate that the pipeline can hold.
#pragma once

#include "tests/bench/bench_ledger.h"

namespace granary::bench {

// Notes when the appends to the billing topic were acknowledged; all else goes straight through to the journal behind.
class BillingTap;

struct AtRate {
  double events_per_s = 0;  // that were appended
  std::uint64_t records = 0;
  double p50_ms = 0, p99_ms = 0, max_ms = 0;
};

// Appends the jobs at places from `from` on at that rate for `seconds`, in steps of 5 ms, while the machines fold.
// Returns the first place that was not used. The machines must not run.
std::uint64_t measure_at_rate(BenchLedger& ledger, const Jobs& jobs, std::uint64_t from, double events_per_s,
                              int seconds, AtRate& measured);

}  // namespace granary::bench
