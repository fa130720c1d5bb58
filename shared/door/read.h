// Reads and waits over HTTP: a question goes to the owner of a shard, in this process or another, after the effect of
// `?after=TOKEN` has been folded there. Any thread.
#pragma once

#include <functional>
#include <memory>

#include "shared/door/deadlines.h"
#include "shared/http/message.h"
#include "shared/json/strict_json.h"
#include "shared/runtime/runtime.h"

namespace granary::door {

// How long a read or a write waits for a token before it answers 503.
inline constexpr std::int64_t kWaitMsMax = 30'000;

using Question = std::function<http::Response(machine::Machine&, const runtime::AsOf&)>;

// Answers with what `question` says. With `?after=TOKEN` it waits first: 400 for a token that is none, 503 with
// Retry-After where the wait was too long.
void read(runtime::Runtime& runtime, http::Request request, http::Responder responder, machine::MachineKind machine,
          std::uint16_t shard, Question question);

// Asks every shard of a machine, wherever it lives, one after the other, after `?after=TOKEN` where there is one; then
// answers with what `combine` says of all rows (JSON objects). With `?shard=N` it answers that shard's rows as they
// are. `rows_of` and `combine` never run at the same time.
void read_all(runtime::Runtime& runtime, http::Request request, http::Responder responder, machine::MachineKind machine,
              std::function<void(machine::Machine&, std::vector<std::string>& rows)> rows_of,
              std::function<http::Response(const std::vector<json::Value>& rows)> combine);

// Calls `go_on(true)` once `token` is folded in that shard, or `go_on(false)` after `wait_ms`; once, on some thread.
void wait_folded(runtime::Runtime& runtime, const runtime::Token& token, machine::MachineKind machine,
                 std::uint16_t shard, std::int64_t wait_ms, std::function<void(bool)> go_on);

// Whether the token names places that this ledger has.
bool fits_ledger(const runtime::Token& token, std::uint16_t partitions);

// The token of `?after=`; nullopt where the request has none. Error: not a token, or one of another ledger.
Result<std::optional<runtime::Token>> token_of(const http::Request& request, std::uint16_t partitions);

// Timers shared by all doors of the process.
Deadlines& deadlines();

// `{"rows":[...],"next":"..."}`: a page of a list. `rows` are JSON objects; no `next` at the end.
http::Response page(const std::vector<std::string>& rows, const std::string& next);

// Where a list goes on: a shard and the last key of the page before. Opaque outside.
struct Cursor {
  std::uint16_t shard = 0;
  Bytes after;
  [[nodiscard]] std::string text() const;
};
// From `?cursor=`; the start where there is none. Error: not a cursor, or of a shard that is not there.
Result<Cursor> cursor_of(const http::Request& request, std::uint16_t shards);
// From `?limit=`, 1 to 1000, default 500.
Result<std::size_t> limit_of(const http::Request& request);

// 400 with the error's message.
http::Response bad_parameter(const std::string& name, const Error& error);

// A paged list over the shards of a machine: one shard a page. `rows_of` fills rows from behind `after` on, at most
// `limit`, and returns the key to go on after, or nullopt at the shard's end.
using Rows = std::function<std::optional<Bytes>(machine::Machine&, const runtime::AsOf&, const Bytes& after,
                                                std::size_t limit, std::vector<std::string>& rows)>;
void read_list(runtime::Runtime& runtime, http::Request request, http::Responder responder,
               machine::MachineKind machine, Rows rows_of);

}  // namespace granary::door
