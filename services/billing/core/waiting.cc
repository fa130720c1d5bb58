#include "services/billing/core/waiting.h"

#include <deque>

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
  const Bytes queue = queue_key(kind, name);
  entries_.edit(entry_key(queue, queues_.edit(queue).count++)) = row;
}

void WaitingRoom::review(QueueKind kind, std::string_view name,
                         const std::function<Fate(const WaitingRow& row, std::vector<WaitingRow>& instead)>& look) {
  const Bytes queue = queue_key(kind, name);
  const QueueRow* found = queues_.find(queue);
  if (found == nullptr) return;
  const std::uint64_t count = found->count;

  // Entries move towards the front as others go; if one is replaced by more than one, those after it wait here
  // until their places have been read.
  std::deque<WaitingRow> moved;
  std::vector<WaitingRow> instead;
  std::uint64_t written = 0;
  for (std::uint64_t place = 0; place < count; ++place) {
    const WaitingRow* row = entries_.find(entry_key(queue, place));
    GRANARY_CHECK(row != nullptr, "a queue has a gap");
    instead.clear();
    if (look(*row, instead) == Fate::stays) {
      if (written == place && moved.empty()) {
        ++written;
        continue;
      }
      GRANARY_PROBE("a part that waits moves up as another goes");
      moved.push_back(*row);
    } else {
      if (instead.size() > 1) GRANARY_PROBE("a part that waits is replaced by several");
      for (WaitingRow& one : instead) moved.push_back(std::move(one));
    }
    for (; written <= place && !moved.empty(); moved.pop_front())
      entries_.edit(entry_key(queue, written++)) = std::move(moved.front());
  }
  for (; !moved.empty(); moved.pop_front()) entries_.edit(entry_key(queue, written++)) = std::move(moved.front());
  for (std::uint64_t place = written; place < count; ++place) entries_.erase(entry_key(queue, place));
  if (written == 0)
    queues_.erase(queue);
  else if (written != count)
    queues_.edit(queue).count = written;
}

}  // namespace granary::billing
