// What POST /v1/events answers. Pure functions over values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/events/json.h"
#include "shared/http/message.h"
#include "shared/runtime/runtime.h"

namespace granary::entry {

// What became of one event of a request. Refused at the door: `problem`. Durable: `place`. Neither: its append failed.
struct EventResult {
  std::string id;
  std::optional<codec::FormError> problem;
  std::optional<runtime::Place> place;
  std::optional<machine::Outcome> outcome;  // of the fold, if it was asked for and is known
};

enum class Outcomes { left_out, shown };

// The answer to a whole request: 202, 422 if all were refused (of at least one), 503 or 507 if an append failed
// with `failure`. `token` names what is durable.
http::Response event_answer(const std::vector<EventResult>& results, const runtime::Token& token, Outcomes outcomes,
                            const std::optional<Error>& failure);

// The seconds of `Prefer: wait=N` (RFC 7240 section 4.3); nullopt: not asked for, or not understood, which the RFC
// wants ignored.
std::optional<std::int64_t> preferred_wait_s(const http::Fields& headers);

}  // namespace granary::entry
