// Recognises an export that `sacct --truncate` (-T) cut to its window: it shows parts of jobs, which would count beside
// the whole ones. Internal to this room. One thread.
//
// Slurm moves the start of a job that began before the window to the window's begin, and the end of one that ended
// after it, or has not ended, to the window's end. So a running job with an end is proof. Of the others the sign is
// that the file's first start, or its last end, is midnight on the cluster's clock, at which windows begin and end
// rather than jobs. JSON does not say that clock: there only the proof counts.
#pragma once

#include <cstdint>
#include <optional>

#include "services/standalone/import/row.h"

namespace granary::import {

struct SlurmJob;

class CutWatch {
 public:
  void look_at(const SlurmJob& job);

  // The row that gives it away; nullopt: the export looks whole.
  [[nodiscard]] std::optional<Remark> found() const;

 private:
  // One of the window's two edges.
  struct Edge {
    std::optional<std::int64_t> at;  // first start or last end, Unix seconds
    std::optional<Remark> sign;      // of a job that has it at midnight, and may have begun before or ended after
  };
  Edge start_, end_;
  std::optional<Remark> proof_;
};

}  // namespace granary::import
