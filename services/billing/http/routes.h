// What people and programs read of billing: monthly sums and money accounts, as paged lists. Filled into the router
// before the listener starts; the handlers may be called on any thread and ask each shard on its own.
#pragma once

#include "shared/ask/reach.h"
#include "shared/routes/route.h"

namespace granary::billing {

// GET /v1/charges[?organisation=NAME][&period=YYYY-MM]: the monthly sums, with what waits as `unrated` in the row
//   without a currency. `organisation` reads its shard alone.
// GET /v1/accounts: the money accounts. A seller has its accounts once per shard: the sum over them is its balance.
// Both take `limit`, `cursor` and `after` as all lists do (shared/ask/list.h). What `reach` refers to outlives the
// table.
routes::Table routes(const ask::Reach& reach);

}  // namespace granary::billing
