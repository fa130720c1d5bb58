#include "shared/entry/event_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "shared/ask/token_wait.h"
#include "shared/entry/cloud_events.h"
#include "shared/entry/event_answer.h"
#include "shared/entry/event_groups.h"
#include "shared/entry/event_post.h"
#include "shared/http/problem.h"

namespace granary::entry {

using http::Request;
using http::Responder;
using units::Instant;

EventDoor::EventDoor(journal::Journal& journal, runtime::Runtime& runtime, http::Loop& loop,
                     const clock::ClockKeeper& clock, EventDoorOptions options)
    : journal_(journal),
      runtime_(runtime),
      loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      state_(std::make_shared<DoorState>()) {}

EventDoor::~EventDoor() {
  close();
}

void EventDoor::post(Request request, Responder responder) {
  auto use = state_->begin_use();
  state_->count([](EventDoorCounters& counters) { ++counters.requests; });
  const auto failure = state_->failure();
  const auto post =
      std::make_shared<EventPost>(EventPost::Door{journal_, runtime_, loop_, options_}, state_, std::move(responder));
  if (!use || failure)
    return post->refuse("closing", http::unavailable("closing", "This server is stopping",
                                                     failure ? failure->message : "", "try again once it runs"));
  if (!clock_.runs() && !clock_.needs_confirmation())
    return post->refuse(
        "clock_compares",
        http::unavailable("clock_compares", "The clock is compared with what others tick",
                          "the ledger's last tick is more than a minute old", "try again in some seconds"));
  if (clock_.needs_confirmation())
    return post->refuse(
        "clock_needs_confirmation",
        http::unavailable("clock_needs_confirmation", "The clock waits for a person",
                          "this server's clock is far ahead of the ledger's last tick, or ahead of others",
                          "look at GET /v1/clock; if the clock is right, say `granary clock confirm`"));
  const Instant recorded_at = clock_.now();
  auto received = read_cloud_events(request.headers, request.body, recorded_at, options_.json);
  if (const auto* problem = std::get_if<http::Problem>(&received))
    return post->refuse(problem->type, make_response(*problem));
  const auto after = ask::token_of(request, runtime_);
  if (!after.ok()) return post->refuse("bad_parameter", http::bad_parameter("after", after.error()));
  GroupedEvents events = group_events(std::move(std::get<std::vector<Received>>(received)), recorded_at, request.caller,
                                      options_.name, runtime_);
  if (events.rules_missing > 0)
    return post->refuse(
        "rules_not_in_force",
        http::unavailable(
            "rules_not_in_force", "The rules that this event needs are not in force yet",
            fmt::format("an event came in a form of rules version {}; nothing was appended", events.rules_missing),
            "send the request again; `granary rules` shows which version is in force where"));
  std::optional<std::int64_t> outcome_wait_ms;
  if (const auto wait = preferred_wait_s(request.headers))
    outcome_wait_ms = std::min(*wait * units::kSecondMs, options_.outcome_wait_ms_max);
  post->start(std::move(*use), std::move(events), outcome_wait_ms, *after);
}

void EventDoor::fail(const Error& error) {
  state_->fail(error);
}

void EventDoor::close() {
  state_->close();
}

EventDoorCounters EventDoor::counters() const {
  return state_->counters();
}

}  // namespace granary::entry
