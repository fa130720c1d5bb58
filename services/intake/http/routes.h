// Intake's questions over HTTP: bytes to question, answer to bytes; nothing is decided here. All take `?after=TOKEN`.
// Any thread.
#pragma once

#include "shared/ask/reach.h"
#include "shared/routes/route.h"

namespace granary::intake {

// GET /v1/policies: {"policies":[...],"price_books":[...],"after":"TOKEN"}, each list in the order of publication, with
//   `published_at`. What waits for the token sees all of them; an importer orders its usage behind it.
// GET /v1/organisations, /v1/applications: paged, in the order of their names. An application has its `screening` and
//   `decision`, once there are any. With `?ref=SYSTEM:ID` the one that it names (a grant's: its application), or none.
// GET /v1/projects/{project}: what is registered, the organisation's kind, and the names of its applications; 404
//   `unknown_project`.
// What `reach` refers to outlives the table.
routes::Table routes(const ask::Reach& reach);

}  // namespace granary::intake
