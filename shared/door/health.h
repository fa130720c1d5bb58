// Whether the server lives, is ready, and how its shards stand: for probes, operators and Prometheus. Pure functions
// over what they are given; any thread.
#pragma once

#include <string>
#include <vector>

#include "shared/door/clock_keeper.h"
#include "shared/door/event_door.h"
#include "shared/http/listener.h"
#include "shared/http/message.h"
#include "shared/runtime/runtime.h"

namespace granary::door {

// 200 once everything that is not parked has caught up and the clock runs; else 503, and what is missing. Parked shards
// are listed and block nothing: the rest serves.
http::Response readiness(const runtime::Runtime& runtime, const ClockKeeper& clock);

// `{"clock":{...},"shards":[...]}`: every shard's position, end, times, counters.
http::Response status_page(const runtime::Runtime& runtime, const ClockKeeper& clock);

// Prometheus' text format. `listener` may be nullptr.
http::Response metrics_page(const runtime::Runtime& runtime, const ClockKeeper& clock, const EventDoor& events,
                            const http::ListenerMetrics* listener);

// The clock as a JSON object: state, now, last_tick; the step that waits for a confirmation.
std::string clock_json(const ClockKeeper& clock);

}  // namespace granary::door
