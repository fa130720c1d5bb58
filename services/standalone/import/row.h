// What the readers of `granary import` yield: one usage, or one row that is none and why. Plain values: safe on any
// thread, owned by whoever holds them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace granary::import {

struct ResourceQuantity {
  std::string class_name;  // "cpu", "gpu", "gpu:a100", "memory", "node"
  std::string quantity;    // held over the interval; canonical decimal: at most 3 decimals, no exponent, above 0
};

// Text that stands in the file is kept as it is there; what is unknown is empty. Whether a name is a good one is the
// server's to judge.
struct UsageRow {
  std::uint64_t line = 0;  // where the row begins, from 1
  std::string id;          // with `source` the usage's identity, the same each time the file is read
  std::string source;
  std::string group, user, account, cluster, qos;
  std::vector<ResourceQuantity> resources;  // at least one, each class once
  std::int64_t start_ms = 0;                // Unix milliseconds
  std::int64_t end_ms = 0;
  std::string state, partition, reservation;
};

struct Skipped {
  std::uint64_t line = 0;
  std::string reason;  // "no_run_time", "never_started", ...: the word in the counts
  std::string detail;  // which job, and what stood there
};

}  // namespace granary::import
