#include "shared/entry/event_post.h"

#include <atomic>
#include <utility>

#include "shared/base/probe.h"
#include "shared/entry/event_answer.h"
#include "shared/entry/event_door.h"
#include "shared/http/problem.h"

namespace granary::entry {

using http::Response;
using telemetry::Level;

EventPost::EventPost(const Door& door, std::shared_ptr<DoorState> state, http::Responder responder)
    : door_(door), state_(std::move(state)), responder_(std::move(responder)) {}

void EventPost::refuse(const std::string& type, Response response) {
  state_->count([&type](EventDoorCounters& counters) { ++counters.requests_refused[type]; });
  if (const auto left_out = state_->request_lines.take())
    telemetry::log(Level::info, "request_refused", "A request that posts events is refused as a whole",
                   {{"cause", type}, {"left_out", *left_out}});
  respond(std::move(response));
}

void EventPost::start(DoorState::Use use, GroupedEvents events, std::optional<std::int64_t> outcome_wait_ms,
                      const std::optional<runtime::Token>& after) {
  events_ = std::move(events);
  outcome_wait_ms_ = outcome_wait_ms;
  waits_for_token_ = after.has_value();
  token_.ledger = door_.runtime.ledger_mark();
  if (after && !events_.groups.empty()) return wait_for(*after);
  append(std::move(use));
}

// The wait itself holds nothing up: the door may close meanwhile.
void EventPost::wait_for(const runtime::Token& after) {
  struct Waits {
    std::atomic<std::size_t> left;
    std::atomic<ask::Folded> folded = ask::Folded::yes;
  };
  const auto waits = std::make_shared<Waits>();
  waits->left = events_.groups.size();
  const auto one_is_over = [self = shared_from_this(), waits](ask::Folded folded) {
    if (folded != ask::Folded::yes) waits->folded = folded;
    if (--waits->left == 0) self->token_is_over(waits->folded);
  };
  for (const EventGroup& group : events_.groups)
    ask::wait_folded(door_.runtime, door_.loop, after, machine::reader_of(group.topic), group.partition,
                     door_.options.after_wait_ms_max, one_is_over);
}

void EventPost::token_is_over(ask::Folded folded) {
  auto use = state_->begin_use();
  if (!use) {
    GRANARY_PROBE("the door closes while a request waits for its token");
    return refuse("closing", http::unavailable("closing", "This server is stopping", "", "try again"));
  }
  if (folded == ask::Folded::yes) return append(std::move(*use));
  if (folded == ask::Folded::beyond_the_log) return refuse("bad_parameter", ask::token_beyond_the_log());
  refuse("not_folded_yet", http::unavailable("not_folded_yet", "What the token names is not folded yet",
                                             "nothing was appended", "send the request again with the same token"));
}

void EventPost::append(DoorState::Use use) {
  count_refused_events();
  if (events_.groups.empty()) return answer(std::nullopt);
  append_groups(door_.journal, door_.loop, events_.groups, door_.options.append_wait_ms_max, std::move(use), state_,
                [self = shared_from_this()](AppendReport report) { self->appended(std::move(report)); });
}

void EventPost::appended(AppendReport report) {
  std::vector<journal::Offsets> stored;
  for (std::size_t i = 0; i < events_.groups.size(); ++i) {
    auto& offsets = report.offsets[i];
    if (!offsets) continue;
    const EventGroup& group = events_.groups[i];
    for (std::size_t row = 0; row < group.rows.size(); ++row)
      events_.results[group.rows[row]].place = runtime::Place{group.topic, group.partition, (*offsets)[row]};
    token_.places.push_back({group.topic, group.partition, offsets->back()});
    stored.push_back(std::move(*offsets));
  }
  if (!outcome_wait_ms_ || report.failure) return answer(report.failure);
  ask_outcomes(door_.runtime, door_.loop, events_.groups, stored, *outcome_wait_ms_,
               [self = shared_from_this()](Judged outcomes) { self->judged(std::move(outcomes)); });
}

void EventPost::judged(Judged outcomes) {
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    for (std::size_t row = 0; row < outcomes[i].size(); ++row)
      events_.results[events_.groups[i].rows[row]].outcome = std::move(outcomes[i][row]);
  answer(std::nullopt);
}

void EventPost::answer(const std::optional<Error>& failure) {
  Response response =
      event_answer(events_.results, token_, outcome_wait_ms_ ? Outcomes::shown : Outcomes::left_out, failure);
  events_.results = {};
  respond(std::move(response));
}

void EventPost::respond(Response response) {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - received_).count();
  state_->count([&](EventDoorCounters& counters) {
    (outcome_wait_ms_ || waits_for_token_ ? counters.folded_seconds : counters.durable_seconds).observe(seconds);
  });
  responder_(std::move(response));
}

void EventPost::count_refused_events() {
  for (const EventResult& result : events_.results) {
    if (!result.problem) continue;
    state_->count([&result](EventDoorCounters& counters) { ++counters.refused[result.problem->reason]; });
    if (const auto left_out = state_->event_lines.take())
      telemetry::log(Level::info, "event_refused", "The door refuses an event; nothing of it is kept",
                     {{"cause", result.problem->reason},
                      {"field", result.problem->field},
                      {"id", result.id},
                      {"left_out", *left_out}});
  }
}

}  // namespace granary::entry
