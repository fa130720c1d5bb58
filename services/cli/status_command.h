// `granary status`: GET /v1/status as a table, or for probes as an exit code.
#pragma once

#include <cstdint>

#include "services/cli/commands.h"

namespace granary::cli {

struct StatusArguments {
  bool check = false;
  std::uint64_t lag_seconds_max = 60;
};

// The exit code: 0 the server answered, whatever it said; with `check` 1 if a shard is parked, lags more than
// `lag_seconds_max` or by nobody knows how much, holds charges that wait for a price, or if the clock waits for a
// person (which go to stderr, one a line); 3 no server.
int status(const ClientOptions& options, const StatusArguments& arguments);

}  // namespace granary::cli
