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

// Answers with what `question` says. With `?after=TOKEN` it waits first: 400 for a token that is none or not of this
// log, 503 with Retry-After where the wait was too long.
void read(runtime::Runtime& runtime, http::Request request, http::Responder responder, machine::MachineKind machine,
          std::uint16_t shard, Question question);

// Asks every shard of a machine, wherever it lives, one after the other, after `?after=TOKEN` where there is one; then
// answers with what `combine` says of all rows (JSON objects). With `?shard=N` it answers that shard's rows as they
// are. `rows_of` and `combine` never run at the same time. Such a list is one page: a `cursor` is another's, 400.
void read_all(runtime::Runtime& runtime, http::Request request, http::Responder responder, machine::MachineKind machine,
              std::function<void(machine::Machine&, std::vector<std::string>& rows)> rows_of,
              std::function<http::Response(const std::vector<json::Value>& rows)> combine);

// Calls `go_on` once `token` is folded in that shard, cannot be, or was not within `wait_ms`; once, on some thread.
enum class Folded : std::uint8_t { yes, not_in_time, beyond_the_log };
void wait_folded(runtime::Runtime& runtime, const runtime::Token& token, machine::MachineKind machine,
                 std::uint16_t shard, std::int64_t wait_ms, std::function<void(Folded)> go_on);
// What a read answers then: 503 with Retry-After, or 400 where the log does not hold what the token names.
http::Response not_folded(Folded folded);
// That 400.
http::Response token_beyond_the_log();

// The token of `?after=`; nullopt where the request has none. Error: not a token, or one of another ledger.
Result<std::optional<runtime::Token>> token_of(const http::Request& request, const runtime::Runtime& runtime);

// Timers shared by all doors of the process.
Deadlines& deadlines();

// 400 with the error's message.
http::Response bad_parameter(const std::string& name, const Error& error);

}  // namespace granary::door
