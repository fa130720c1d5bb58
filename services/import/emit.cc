#include "services/import/emit.h"

#include <algorithm>

namespace granary::import {

Result<void> Emitter::row(UsageRow& row) {
  row.start_ms += options_.shift_ms;
  row.end_ms += options_.shift_ms;
  ++summary.usages;
  summary.start_ms_min = std::min(summary.start_ms_min.value_or(row.start_ms), row.start_ms);
  summary.end_ms_max = std::max(summary.end_ms_max.value_or(row.end_ms), row.end_ms);
  return sink_.on_row(row);
}

Result<void> Emitter::tell(Fate fate, const Remark& remark) {
  if (fate == Fate::skipped) ++summary.skipped[remark.reason];
  if (fate == Fate::refused) ++summary.refused[remark.reason];
  return sink_.on_remark(fate, remark);
}

}  // namespace granary::import
