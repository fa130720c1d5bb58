// What a question may reach: the shards of this process, those of others, and the time. References, copied freely; any
// thread. What they refer to outlives the listener.
#pragma once

#include "shared/peers/forward.h"
#include "shared/runtime/runtime.h"

namespace granary::ask {

struct Reach {
  runtime::Runtime& runtime;
  peers::Forwarder& forwarder;

  [[nodiscard]] http::Loop& loop() const { return forwarder.loop(); }
};

}  // namespace granary::ask
