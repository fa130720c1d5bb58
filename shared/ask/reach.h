// What a question may reach: the shards of this process, those of others, and the time. References, copied freely; any
// thread. What they refer to outlives the listener; the readers stop before the forwarder and the loop do, and outlive
// them.
#pragma once

#include "shared/http/work_pool.h"
#include "shared/peers/forward.h"
#include "shared/runtime/runtime.h"

namespace granary::ask {

struct Reach {
  runtime::Runtime& runtime;
  peers::Forwarder& forwarder;
  http::WorkPool& readers;  // on which long answers of other processes are read: never on the loop's thread

  [[nodiscard]] http::Loop& loop() const { return forwarder.loop(); }
};

}  // namespace granary::ask
