// What a server says became of the events of one batch. Plain values; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "shared/base/result.h"

namespace granary::cli {

struct EventResult {
  std::string judgement;            // "new", "repeat", "waiting", "unknown", "refused", or another build's word
  std::string reason, field, hint;  // of a refusal, which has a reason; `field`: a JSON pointer into the event's data
};

struct EventResults {
  std::string after;  // a token; empty: nothing was appended
  std::vector<EventResult> of_events;
};

// Of the answer to POST /v1/events with `count` events. Errors: strange_answer.
Result<EventResults> results_of(const std::string& body, std::size_t count);

}  // namespace granary::cli
