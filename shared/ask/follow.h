// GET /v1/streams/{stream} with `Accept: text/event-stream`: what Granary tells the outside as Server-Sent Events (HTML
// standard, section 9.2), each once it is durable, without an end. `data` is the CloudEvent that a page of the stream
// has; `id` is where to go on behind it, for all partitions that are followed.
//
//   ?partition=P             that one; without it all of them, each in its order
//   ?from=BEGINNING|END|ID   where to begin: BEGINNING if it is absent, or behind the event with that `id`
//   Last-Event-ID: ID        the same, before `from`: an EventSource that reconnects sends it with the address it had
//
// Threads: follow_stream() on one that may wait for the log; the body reads on the pool's. Ownership: what Follow
// refers to outlives the listener; the pool and the loop stop after it.
#pragma once

#include <string_view>

#include "shared/http/loop.h"
#include "shared/http/message.h"
#include "shared/http/work_pool.h"
#include "shared/journal/journal.h"
#include "shared/runtime/runtime.h"

namespace granary::ask {

struct Follow {
  const journal::Journal& journal;
  const runtime::Runtime& runtime;
  http::WorkPool& readers;
  http::Loop& loop;
};

inline constexpr std::string_view kEventStream = "text/event-stream";

// Whether the request takes text/event-stream.
bool wants_event_stream(const http::Request& request);

// 400 for a wrong parameter or place, 503 if the journal cannot be read.
http::Response follow_stream(const Follow& follow, machine::Topic stream, const http::Request& request);

}  // namespace granary::ask
