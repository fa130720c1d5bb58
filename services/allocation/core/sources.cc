#include "services/allocation/core/sources.h"

#include <algorithm>

#include "shared/base/probe.h"

namespace granary::allocation {

std::optional<events::SourceCompleted> Sources::reported(const events::SourceCompleted& statement, std::uint16_t shard,
                                                         std::uint16_t shards) {
  key_.clear();
  append_part(key_, statement.source);
  SourceRow& row = rows_.edit(key_);
  auto report = std::lower_bound(row.reports.begin(), row.reports.end(), shard,
                                 [](const SourceReport& one, std::uint16_t wanted) { return one.shard < wanted; });
  if (report == row.reports.end() || report->shard != shard)
    row.reports.insert(report, {shard, statement.complete_through, statement.records});
  else if (report->complete_through < statement.complete_through)
    *report = {shard, statement.complete_through, statement.records};
  if (row.reports.size() < shards) return std::nullopt;
  const auto slowest = std::min_element(
      row.reports.begin(), row.reports.end(),
      [](const SourceReport& a, const SourceReport& b) { return a.complete_through < b.complete_through; });
  if (row.passed_on && slowest->complete_through <= *row.passed_on) {
    GRANARY_PROBE("the slowest shard's report of a source moves nothing on");
    return std::nullopt;
  }
  row.passed_on = slowest->complete_through;
  return events::SourceCompleted{statement.source, slowest->complete_through, slowest->records};
}

}  // namespace granary::allocation
