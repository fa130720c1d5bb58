// Between a reader and the caller's sink: counts, shifts, and keeps the smallest start and largest end.
// Internal to this room. One thread; borrows all that it is made of.
#pragma once

#include "services/import/reader.h"

namespace granary::import {

class Emitter {
 public:
  Emitter(const Options& options, RowSink& sink) : options_(options), sink_(sink) {}

  // `row` has its times as the file has them: the shift is added here. Errors: the sink's.
  Result<void> row(UsageRow& row);
  Result<void> tell(Fate fate, const Remark& remark);

  // The rest of the summary is the reader's to fill in.
  Summary summary;

 private:
  const Options& options_;
  RowSink& sink_;
};

}  // namespace granary::import
