#include "shared/entry/event_groups.h"

#include <algorithm>
#include <utility>

#include "shared/entry/raw_record.h"

namespace granary::entry {

using codec::FormError;

GroupedEvents group_events(std::vector<Received> events, units::Instant recorded_at, const http::Caller& caller,
                           std::string_view door, runtime::Runtime& runtime) {
  GroupedEvents out;
  out.results.resize(events.size());
  for (std::size_t row = 0; row < events.size(); ++row) {
    EventResult& result = out.results[row];
    result.id = std::move(events[row].id);
    if (auto* error = std::get_if<FormError>(&events[row].outcome)) {
      result.problem = std::move(*error);
      continue;
    }
    auto made = make_raw_record(std::move(std::get<CloudEvent>(events[row].outcome)), door, caller, recorded_at,
                                runtime.ledger());
    if (auto* error = std::get_if<FormError>(&made)) {
      result.problem = std::move(*error);
      continue;
    }
    auto& record = std::get<RawRecord>(made);
    if (record.form > 1 && !runtime.folds_by({machine::reader_of(record.topic), record.partition}, record.form))
      out.rules_missing = std::max(out.rules_missing, record.form);
    auto group = std::find_if(out.groups.begin(), out.groups.end(), [&record](const EventGroup& one) {
      return one.topic == record.topic && one.partition == record.partition;
    });
    if (group == out.groups.end()) group = out.groups.insert(group, EventGroup{record.topic, record.partition, {}, {}});
    group->records.emplace_back().value = std::move(record.bytes);
    group->rows.push_back(row);
  }
  return out;
}

}  // namespace granary::entry
