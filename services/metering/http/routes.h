// Metering's questions over HTTP: bytes to question, answer to bytes; nothing is decided here. Any thread.
#pragma once

#include "shared/ask/reach.h"
#include "shared/routes/route.h"

namespace granary::metering {

// GET /v1/sources: per source what became of its usage, summed over the shards.
// GET /v1/unbound: clusters and accounts whose usage waits for a binding, or, if bound, for a class list.
routes::Table routes(const ask::Reach& reach);

}  // namespace granary::metering
