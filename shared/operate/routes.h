// What every Granary server answers beside its services: POST /v1/events, GET /v1/rejected, GET /v1/streams/{stream},
// GET /v1/clock and POST /v1/clock/confirm, /livez, /readyz, GET /v1/status, GET /v1/routes and /metrics. Any thread;
// refers to everything in Doors, which outlives the listener.
#pragma once

#include <functional>
#include <string>

#include "shared/clock/clock_keeper.h"
#include "shared/entry/event_door.h"
#include "shared/http/listener.h"
#include "shared/http/work_pool.h"
#include "shared/peers/forward.h"
#include "shared/peers/peers.h"
#include "shared/routes/route.h"

namespace granary::operate {

struct Doors {
  const journal::Journal& journal;
  runtime::Runtime& runtime;
  peers::Forwarder& forwarder;  // to other processes
  http::WorkPool& log_readers;  // on which the journal is read: never on the listener's threads
  http::WorkPool& followers;    // the same for readers that follow a stream, so that they hold up nobody else's reads
  entry::EventDoor& events;
  clock::ClockKeeper& clock;
  // The listener's counters, or nullptr while there is no listener; may be empty.
  std::function<const http::ListenerMetrics*()> listener;
  // How this server is called where shards and their owners are listed: its URL; may be empty.
  std::function<std::string()> owner = {};
  // The list of who owns which shards; nullptr: none.
  const peers::Peers* peers = nullptr;
};

// `services`: the tables of the services that run here; GET /v1/routes tells them and these.
routes::Table routes(const Doors& doors, const routes::Table& services);

}  // namespace granary::operate
