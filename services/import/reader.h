// The reading side of `granary import`: a workload file comes in, usages and remarks about rows go out, in the file's
// order. Nothing is posted here and no clock is read; the same bytes and options give the same rows each time, so that
// a caller can read twice: first to check and to learn the period, then to post. Memory does not grow with the file,
// but for the records that a resize closed (Summary::resizes), which are few.
//
// One thread per call; a call owns nothing that outlives it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "services/import/input.h"
#include "services/import/options.h"
#include "services/import/row.h"
#include "shared/base/result.h"

namespace granary::import {

// Where the rows go. What it is given is valid during the call only. An error ends the reading and is handed on.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual Result<void> on_row(const UsageRow& row) = 0;
  virtual Result<void> on_remark(Fate fate, const Remark& remark) = 0;
};

struct Summary {
  std::uint64_t usages = 0;
  std::map<std::string, std::uint64_t> skipped;  // rows by reason
  std::map<std::string, std::uint64_t> refused;  // likewise: usage that cannot be taken
  // Slurm text: rows of job steps. They are part of an allocation that has its own row, so they are neither usage nor
  // skipped usage.
  std::uint64_t steps = 0;
  // Slurm text: times that say no zone, so that they are what --time-zone makes of them.
  std::uint64_t local_times = 0;
  // Slurm: that the export looks as `sacct --truncate` writes it, with parts of jobs in place of jobs, and by which
  // row.
  std::optional<Remark> cut;
  Resizes resizes;
  // The file ends within a row, or its archive is cut short. What was whole has been yielded.
  bool truncated = false;
  // Over the usages, with the shift; Unix milliseconds. Empty if there is no usage.
  std::optional<std::int64_t> start_ms_min;
  std::optional<std::int64_t> end_ms_max;

  // Rows of the file: usages, skipped and refused rows, and steps.
  [[nodiscard]] std::uint64_t rows() const;
};

// Reads all of `input` in the format that `options` name. `options` must have passed `check`.
//
// Errors: invalid_input for a file that is something else, and for a row that is none (too few fields, no number where
// one must be): the message names line, field, value, what was expected and a hint. A last row that is cut is no error
// but `truncated`. Also the input's errors and the sink's.
Result<Summary> read(Input& input, const Options& options, RowSink& sink);

}  // namespace granary::import
