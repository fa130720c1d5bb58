// GET /metrics: what Prometheus scrapes. A pure function over what it is given; any thread. Counters begin at 0 with
// the process; what is told by shard is told by this server's shards alone.
#pragma once

#include "shared/clock/clock_keeper.h"
#include "shared/entry/event_door.h"
#include "shared/http/listener.h"
#include "shared/http/message.h"
#include "shared/runtime/runtime.h"

namespace granary::operate {

// Prometheus' text format; every name has its help text there. `listener` may be nullptr.
http::Response metrics_page(const runtime::Runtime& runtime, const clock::ClockKeeper& clock,
                            const entry::EventDoor& events, const http::ListenerMetrics* listener);

}  // namespace granary::operate
