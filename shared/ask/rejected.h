// GET /v1/rejected?source=&id=&machine=&cursor=&limit=: what the machines refused, from the log's own `rejected`
// stream. Any thread.
#pragma once

#include "shared/http/loop.h"
#include "shared/http/message.h"
#include "shared/journal/journal.h"
#include "shared/runtime/runtime.h"

namespace granary::ask {

// So many records are looked at for one page at most; a page that ends there says `partial`.
inline constexpr std::size_t kRejectedScanMax = 5000;

// A page of rows in the order of partitions and offsets: each record's JSON with its `ce_id`. 400 for a wrong
// parameter, 503 if the journal cannot be read. Reads the journal on the caller's thread, which may take seconds.
http::Response rejected_page(const journal::Journal& journal, const runtime::Runtime& runtime,
                             const http::Request& request);

// Calls `page` once what `?after=TOKEN` names has been folded by the machines that its places name and they have
// published what they refused; at once if there is no token. Else answers 400 or 503 itself.
void get_rejected(runtime::Runtime& runtime, http::Loop& loop, http::Request request, http::Responder responder,
                  http::Handler page);

}  // namespace granary::ask
