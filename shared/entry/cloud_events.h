// What is in a POST of CloudEvents 1.0.2 (https://github.com/cloudevents/spec: core, HTTP protocol binding and JSON
// event format): one event in binary or structured mode, or a batch of them. Stricter than the SDKs: all that the
// specification calls invalid is refused. Extension attributes that this door does not know are ignored, as it asks;
// `caller` is refused, for the door itself writes who called. What would put personal data into the log, an `actor` or
// a usage's `member` with "@", is refused as `personal_data`.
// Pure functions over values; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/events/json.h"
#include "shared/http/message.h"
#include "shared/http/problem.h"
#include "shared/json/strict_json.h"

namespace granary::entry {

inline constexpr std::size_t kBatchEventsMax = 1000;
// How far the end of a usage may lie behind the time at which the door takes it.
inline constexpr std::int64_t kFutureMsMax = units::kHourMs;

// An event that a door takes: raw, well-formed, and of a type that people or machines report.
struct CloudEvent {
  std::string source, id;  // its identity
  units::Instant time;     // the sender's own, cut to milliseconds
  std::string actor;       // extension `actor`; may be empty
  std::string collector;   // extension `collector` of a usage; may be empty
  std::string trace;       // extension `traceparent`; may be empty
  events::Event event;
  events::UsageNotes notes;
};

// One event of a request, in its order. `id` as far as it could be read, for the answer.
struct Received {
  std::string id;
  // A FormError's field is a JSON pointer into the event ("/data/end", "/time"), whatever the mode.
  std::variant<CloudEvent, codec::FormError> outcome;
};

// Reads a request's events. `headers` as http::Request has them. `recorded_at` is the door's time: a usage that ends
// more than an hour after it is `usage_in_future`. A problem means that nothing of the request can be taken: 415 for
// another content type, 400 (`malformed`) for a body that is no strict JSON or has the wrong shape, 413 for a batch of
// more than kBatchEventsMax.
std::variant<std::vector<Received>, http::Problem> read_cloud_events(const http::Fields& headers, std::string_view body,
                                                                     units::Instant recorded_at,
                                                                     const json::Limits& limits = {});

}  // namespace granary::entry
