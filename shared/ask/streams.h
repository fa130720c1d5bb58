// GET /v1/streams/{billing|notices|rejected}: what Granary tells the outside, as CloudEvents, page by page from the
// log's own outward streams. Any thread; reads the journal on the caller's, which may take seconds.
//
//   ?limit=&cursor=          all partitions, one after the other, each in its order; the last page has no `next`
//   ?partition=P&from=FROM   one partition, from BEGINNING, END or a record's number; `next` is always there and says
//                            where to ask again, as `from`
//
// Both answer {"partitions":N,"rows":[CloudEvent...],"next":...}.
#pragma once

#include <optional>

#include "shared/http/message.h"
#include "shared/journal/journal.h"
#include "shared/runtime/runtime.h"

namespace granary::ask {

// "billing", "notices" or "rejected".
std::optional<machine::Topic> stream_called(std::string_view name);

// A record of an outward stream as a CloudEvent in JSON (structured mode); its key as `partitionkey`.
std::string cloud_event_json(const journal::Record& record);

// Where reading begins: BEGINNING, END (behind the last record) or a record's number. Errors:
// invalid_input, conflict (no such record yet), those of the journal.
Result<journal::Offset> stream_start(const journal::Journal& journal, const journal::Partition& partition,
                                     std::string_view from);

// From `?partition=`: one of `count`.
Result<std::uint16_t> partition_of(std::string_view text, std::uint16_t count);

// 400 if what the request's parameter names is not there, 503 if the journal cannot be read.
http::Response cannot_read(const std::string& parameter, const Error& error);

// 400 for a wrong parameter, 503 if the journal cannot be read.
http::Response stream_page(const journal::Journal& journal, const runtime::Runtime& runtime, machine::Topic stream,
                           const http::Request& request);

}  // namespace granary::ask
