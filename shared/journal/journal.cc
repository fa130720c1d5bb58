#include "shared/journal/journal.h"

#include <future>

namespace granary::journal {

Result<Offset> append_and_wait(Journal& journal, const Partition& partition, std::vector<Record> records) {
  std::promise<Result<Offsets>> promise;
  auto answer = promise.get_future();
  journal.append(partition, std::move(records),
                 [&promise](Result<Offsets> done) { promise.set_value(std::move(done)); });
  const auto offsets = answer.get();
  if (!offsets.ok()) return offsets.error();
  return offsets->front();
}

}  // namespace granary::journal
