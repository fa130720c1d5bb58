#include "services/billing/core/waiting.h"

#include <algorithm>

#include "shared/base/probe.h"

namespace granary::billing {
namespace {

Bytes queue_key(QueueKind kind, std::string_view name) {
  Bytes key;
  append_u8(key, static_cast<std::uint8_t>(kind));
  append_part(key, name);
  return key;
}

Bytes entry_key(const Bytes& queue, std::uint64_t place) {
  Bytes key = queue;
  append_u64(key, place);
  return key;
}

}  // namespace

WaitingRoom::WaitingRoom(machine::TableSet& tables, std::size_t rows_max)
    : queues_(tables, Table::queues, rows_max), entries_(tables, Table::waiting, rows_max) {}

void WaitingRoom::append(QueueKind kind, std::string_view name, const WaitingRow& row) {
  const Bytes key = queue_key(kind, name);
  QueueRow& queue = queues_.edit(key);
  entries_.edit(entry_key(key, queue.next++)) = row;
  ++queue.count;
}

std::optional<machine::SweepRow> WaitingRoom::sweep_of(QueueKind kind, std::string_view name) {
  const QueueRow* queue = queues_.find(queue_key(kind, name));
  if (queue == nullptr) return std::nullopt;
  machine::SweepRow sweep;
  sweep.kind = static_cast<std::uint64_t>(kind);
  sweep.name = name;
  sweep.next = queue->first;
  sweep.until = queue->next;
  return sweep;
}

std::size_t WaitingRoom::review(machine::SweepRow& sweep, std::size_t rows, const Look& look, bool& is_done) {
  const Bytes key = queue_key(static_cast<QueueKind>(sweep.kind), sweep.name);
  is_done = true;
  if (queues_.find(key) == nullptr) return 0;
  std::vector<WaitingRow> instead;
  std::size_t looked_at = 0;
  sweep.next = std::max(sweep.next, queues_.find(key)->first);
  for (; sweep.next < sweep.until && looked_at < rows; ++sweep.next, ++looked_at) {
    const Bytes place = entry_key(key, sweep.next);
    const WaitingRow* row = entries_.find(place);
    if (row == nullptr) {
      GRANARY_PROBE("a review meets a gap of its queue");
    } else {
      instead.clear();
      if (look(*row, instead) == Fate::stays) continue;
      if (instead.size() > 1) GRANARY_PROBE("a part that waits is replaced by several");
      QueueRow& queue = queues_.edit(key);
      queue.count += instead.size();
      --queue.count;
      if (instead.empty())
        entries_.erase(place);
      else
        entries_.edit(place) = std::move(instead.front());
      for (std::size_t i = 1; i < instead.size(); ++i)
        entries_.edit(entry_key(key, queue.next++)) = std::move(instead[i]);
      if (!instead.empty()) continue;
    }
    if (QueueRow& queue = queues_.edit(key); queue.first == sweep.next) ++queue.first;
  }
  is_done = sweep.next >= sweep.until;
  if (queues_.find(key)->count > 0) return looked_at;
  queues_.erase(key);
  is_done = true;
  return looked_at;
}

}  // namespace granary::billing
