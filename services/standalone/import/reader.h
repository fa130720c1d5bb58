// The reading side of `granary import`: a workload file comes in, usages and skipped rows go out, in the file's order.
// Nothing is posted here and no clock is read; the same bytes and options give the same rows each time, so that a
// caller can read twice: first to check and to learn the period, then to post. Memory does not grow with the file.
//
// One thread per call; a call owns nothing that outlives it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "services/standalone/import/input.h"
#include "services/standalone/import/options.h"
#include "services/standalone/import/row.h"
#include "shared/base/result.h"

namespace granary::import {

// Where the rows go. What it is given is valid during the call only. An error ends the reading and is handed on.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual Result<void> on_row(const UsageRow& row) = 0;
  virtual Result<void> on_skipped(const Skipped& skipped) = 0;
};

struct Summary {
  std::uint64_t usages = 0;
  std::map<std::string, std::uint64_t> skipped;  // by reason
  // Slurm text: rows of job steps. They are part of an allocation that has its own row, so they are neither usage nor
  // skipped usage.
  std::uint64_t steps = 0;
  // Slurm text: local times that a change to winter time made twice. The elapsed time tells which one was meant; where
  // it does not (a suspended job), the earliest that does not end before its start is taken.
  std::uint64_t ambiguous_times = 0;
  // The file ends within a row, or its archive is cut short. What was whole has been yielded.
  bool truncated = false;
  // Over the usages, with the shift; Unix milliseconds. Empty where there is no usage.
  std::optional<std::int64_t> start_ms_min;
  std::optional<std::int64_t> end_ms_max;

  // Rows of the file: usages, skipped rows and steps.
  [[nodiscard]] std::uint64_t rows() const;
};

// Reads all of `input` in the format that `options` name. `options` must have passed `check`.
//
// Errors: invalid_input for a file that is something else, and for a row that is none (too few fields, no number where
// one must be): the message names line, field, value, what was expected and a hint. A last row that is cut is no error
// but `truncated`. Also the input's errors and the sink's.
Result<Summary> read(Input& input, const Options& options, RowSink& sink);

}  // namespace granary::import
