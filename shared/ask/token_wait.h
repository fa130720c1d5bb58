// Waits until the effect of a token is folded, for reads and for what is posted behind it. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "shared/http/loop.h"
#include "shared/http/message.h"
#include "shared/runtime/runtime.h"

namespace granary::ask {

// Calls `go_on` once `token` is folded in that shard, cannot be, or was not within `wait_ms`; once, on some thread.
enum class Folded : std::uint8_t { yes, not_in_time, beyond_the_log };
void wait_folded(runtime::Runtime& runtime, http::Loop& loop, const runtime::Token& token, machine::MachineKind machine,
                 std::uint16_t shard, std::int64_t wait_ms, std::function<void(Folded)> go_on);
// What a read answers then: 503 with Retry-After, or 400 if the log does not hold what the token names.
http::Response not_folded(Folded folded);
// That 400.
http::Response token_beyond_the_log();

// The token of `?after=`; nullopt if the request has none. Error: not a token, or one of another ledger.
Result<std::optional<runtime::Token>> token_of(const http::Request& request, const runtime::Runtime& runtime);

}  // namespace granary::ask
