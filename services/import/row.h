// What the readers of `granary import` yield: usages, and what is to be said about rows. Plain values: safe on any
// thread, owned by whoever holds them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace granary::import {

struct ResourceQuantity {
  std::string class_name;  // "cpu", "gpu", "gpu:a100", "memory", "node"
  std::string quantity;    // held over the interval; canonical decimal: at most 3 decimals, no exponent, above 0
};

// Text of the file is kept as it is there; what is unknown is empty. Whether a name is a good one is the
// server's to judge.
struct UsageRow {
  std::uint64_t line = 0;  // the number of the row's first line, from 1
  std::string job;         // as people know it: a job's number, a pod's name
  std::string id;          // with `source` the usage's identity, the same each time the file is read
  std::string source;
  std::string group, user, account, cluster, qos;
  std::string recorded_cluster;             // as the file names it, whatever --cluster says
  std::vector<ResourceQuantity> resources;  // at least one, each class once
  std::int64_t start_ms = 0;                // Unix milliseconds
  std::int64_t end_ms = 0;
  // Of a job that was suspended: how long it ran between start and end. What it held counts for this time only.
  std::optional<std::int64_t> ran_ms;
  std::string state, partition, advance_reservation;
  // Whether `job` is a scheduler's id that several usages of `source` may share: the runs and sizes of one job.
  bool has_runs = false;
};

// What becomes of a row that is remarked on: it holds usage that cannot be taken, it holds none, or it is taken and not
// all of it is.
enum class Fate { refused, skipped, noted };

// What a reader says about a row.
struct Remark {
  std::uint64_t line = 0;
  std::string job;     // as in UsageRow; empty: not known
  std::string field;   // the column, the JSON pointer, or the resource that it is about
  std::string reason;  // "no_run_time", "never_started", ...: the word in the counts
  std::string detail;  // what stood there
};

// Slurm: the ends (Unix seconds, in the file's order) of the records that a resize closed, by cluster, job and the
// start that all records of the job show.
using Resizes = std::map<std::tuple<std::string, std::string, std::int64_t>, std::vector<std::int64_t>>;

}  // namespace granary::import
