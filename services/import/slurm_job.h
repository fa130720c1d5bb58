// A Slurm allocation as both exports tell it, and the rules by which it becomes usage. Internal to this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/import/cut_watch.h"
#include "services/import/emit.h"
#include "services/import/resources.h"

namespace granary::import {

// How an export names the fields of which something may have to be said: columns, or JSON pointers within a job.
struct SlurmFieldNames {
  const char *account, *start, *end, *elapsed, *tres;
};

struct SlurmJob {
  UsageRow row;  // all but id, source, resources and times; `job` is "81234", of an array "81234_7", of a heterogeneous
                 // job "81234+1"
  std::string field_prefix;  // before each of `names`
  const SlurmFieldNames* names = nullptr;
  std::vector<std::string> states;  // base state first, then flags
  // Unix seconds; 0: none. A job that was resized has a record for each size, each time with the job's first
  // start; all but the first record were "submitted" when the size changed.
  std::int64_t submit_s = 0;
  std::int64_t eligible_s = 0;
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;
  // On the cluster's clock, as far as the export says it.
  bool starts_at_midnight = false;
  bool ends_at_midnight = false;
  // Slurm's elapsed time is without the suspended time.
  std::optional<std::int64_t> elapsed_s, suspended_s;
  AllocatedTres tres;
};

// Whether Slurm knows the base state or flag of that name (22.05 to 25.05).
bool is_slurm_state(std::string_view state);

// Turns jobs into usages and remarks, as they come.
class SlurmJobs {
 public:
  SlurmJobs(const Options& options, RowSink& sink) : options_(options), emitter_(options, sink) {}

  // Yields the job as usage, or says why it is none. It starts when it was started, or, resized, when it had this size:
  // as the record's submission says, or else when the record of the size before ended. The id names that start as Slurm
  // recorded it, whatever the shift: two paths, or two imports, that tell the same run of a job give the same id.
  // Errors: invalid_input without a cluster; the sink's.
  Result<void> take(SlurmJob& job);
  Result<void> tell(Fate fate, const Remark& remark) { return emitter_.tell(fate, remark); }

  // What is told of the file so far; the reader adds its own.
  Summary& summary() { return emitter_.summary; }
  // The same at the file's end.
  Summary finish();

 private:
  // What the times come to; nullopt: the job is no usage, which has been told.
  struct Run {
    std::int64_t start_s, end_s, ran_s;
  };
  Result<std::optional<Run>> run_of(SlurmJob& job);
  [[nodiscard]] std::int64_t start_of_size(const SlurmJob& job) const;
  Result<void> tell(Fate fate, const SlurmJob& job, const char* field, const char* reason, std::string detail);

  const Options& options_;
  Emitter emitter_;
  CutWatch cut_watch_;
};

}  // namespace granary::import
