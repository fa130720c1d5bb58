// Allocation's questions over HTTP: bytes to question, answer to bytes; nothing is decided here. Any thread.
#pragma once

#include "shared/ask/reach.h"
#include "shared/routes/route.h"

namespace granary::allocation {

// GET /v1/projects/{project}/balance: per class the sums and the lots; 404 for a project that nobody knows.
// GET /v1/projects: the same sums for every project and class, without lots, a page at a time; `limit` counts projects.
//   With `?ref=SYSTEM:ID` of the one that it names, or none.
// GET /v1/usage: per project and class what was posted, and what waits under the project that it names.
// GET /v1/unassigned: per source and project the usages that metering passed on and that wait here for their project.
routes::Table routes(const ask::Reach& reach);

}  // namespace granary::allocation
