// Recognises an export that `sacct --truncate` (-T) cut to its window: it shows parts of jobs, which would count beside
// the whole ones. Internal to this room. One thread.
//
// Slurm moves the start of a job that began before the window to the window's begin, and the end of one that ended
// after it, or has not ended, to the window's end. So a running job with an end is proof. Of the others the sign is
// that the file's first start, or its last end, is midnight on the cluster's clock, and of more jobs than start or end
// in the minute within: moved there are as many as ran at that instant, which is more than a minute's as soon as jobs
// run for more than a minute; by chance it is a second's. JSON and Unix seconds do not say that clock: there only the
// proof counts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "services/import/row.h"

namespace granary::import {

struct SlurmJob;

class CutWatch {
 public:
  void look_at(const SlurmJob& job);

  // The row that gives it away; nullopt: the export looks whole.
  [[nodiscard]] std::optional<Remark> found() const;

 private:
  // One of the window's two edges. Instants grow inwards: the smallest is the first start, or the last end negated.
  struct Edge {
    void add(std::int64_t at, const std::optional<Remark>& sign);
    [[nodiscard]] std::optional<Remark> found() const;

    std::map<std::int64_t, std::uint64_t> jobs;  // by instant, from the smallest one on for a minute
    std::uint64_t signs = 0;      // jobs at the smallest instant that show it at midnight and may have been moved there
    std::optional<Remark> first;  // of the first of these
  };
  Edge start_, end_;
  std::optional<Remark> proof_;
};

}  // namespace granary::import
