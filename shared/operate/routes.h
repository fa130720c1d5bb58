// What every Granary server answers beside its services: POST /v1/events, GET /v1/rejected, GET /v1/streams/{stream},
// GET /v1/clock and POST /v1/clock/confirm, /livez, /readyz, GET /v1/status and /metrics. Any thread; refers to
// everything in Doors, which outlives the listener.
#pragma once

#include <functional>
#include <string>

#include "shared/clock/clock_keeper.h"
#include "shared/entry/event_door.h"
#include "shared/http/listener.h"
#include "shared/http/router.h"
#include "shared/peers/peers.h"

namespace granary::operate {

struct Doors {
  const journal::Journal& journal;
  runtime::Runtime& runtime;
  entry::EventDoor& events;
  clock::ClockKeeper& clock;
  // The listener's counters, or nullptr while there is no listener; may be empty.
  std::function<const http::ListenerMetrics*()> listener;
  // How this server is called where shards and their owners are listed: its URL; may be empty.
  std::function<std::string()> owner = {};
  // The list of who owns which shards; nullptr: none.
  const peers::Peers* peers = nullptr;
};

void add_routes(http::Router& router, const Doors& doors);

}  // namespace granary::operate
