#include "shared/journal/journal.h"

#include <future>

namespace granary::journal {

Result<Offset> append_and_wait(Journal& journal, const Partition& partition, std::vector<Record> records) {
  std::promise<Result<Offset>> promise;
  auto answer = promise.get_future();
  journal.append(partition, std::move(records),
                 [&promise](Result<Offset> done) { promise.set_value(std::move(done)); });
  return answer.get();
}

}  // namespace granary::journal
