// A Slurm allocation as both exports tell it, and the rules by which it becomes usage. Internal to this room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/standalone/import/emit.h"
#include "services/standalone/import/resources.h"

namespace granary::import {

struct SlurmJob {
  UsageRow row;                     // all but id, source, resources and times
  std::string label;                // "81234", of an array "81234_7", of a heterogeneous job "81234+1"
  std::vector<std::string> states;  // base state first, then flags
  // Unix seconds; 0: none. A job that was resized stands there once for each size, each time with the job's first
  // start; all but the first record were "submitted" when the size changed.
  std::int64_t submit_s = 0;
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;
  AllocatedTres tres;
};

// Whether Slurm knows the base state or flag of that name (22.05 to 25.05).
bool is_slurm_state(std::string_view state);

// Yields the job as usage or as skipped. It starts when it was started, or, resized, when it had this size. The id
// names that start as Slurm recorded it, whatever the shift: two paths, or two imports, that tell the same run of a job
// give the same id. Errors: invalid_input without a cluster; the sink's.
Result<void> emit_job(Emitter& emitter, const Options& options, SlurmJob& job);

}  // namespace granary::import
