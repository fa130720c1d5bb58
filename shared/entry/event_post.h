// One request of POST /v1/events on its way, after it has been read: waits for its token if it has one, appends,
// asks for outcomes if they are wanted, and answers.
//
// Threads: one step at a time, each on the thread that ended the step before: start() on the listener's, appended() on
// one of the journal's or the loop's, judged() on one of the runtime's or the loop's. So no step needs a lock; what
// several threads answer at a time is in append_groups.h and ask_outcomes.h. Ownership: a step holds the request; it
// may use the door's parts only while a DoorState::Use exists.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "shared/ask/token_wait.h"
#include "shared/entry/append_groups.h"
#include "shared/entry/ask_outcomes.h"
#include "shared/entry/door_state.h"
#include "shared/entry/event_groups.h"
#include "shared/http/message.h"

namespace granary::entry {

struct EventDoorOptions;

class EventPost : public std::enable_shared_from_this<EventPost> {
 public:
  // What of the door a request uses.
  struct Door {
    journal::Journal& journal;
    runtime::Runtime& runtime;
    http::Loop& loop;
    const EventDoorOptions& options;
  };

  // Begins the time that the request takes.
  EventPost(const Door& door, std::shared_ptr<DoorState> state, http::Responder responder);

  // Refuses the request as a whole; `type` is the problem's.
  void refuse(const std::string& type, http::Response response);

  // `outcome_wait_ms`: how long outcomes are waited for; nullopt: they were not asked for.
  void start(DoorState::Use use, GroupedEvents events, std::optional<std::int64_t> outcome_wait_ms,
             const std::optional<runtime::Token>& after);

 private:
  void wait_for(const runtime::Token& after);
  void token_is_over(ask::Folded folded);
  void append(DoorState::Use use);
  void appended(AppendReport report);
  void judged(Judged outcomes);
  void answer(const std::optional<Error>& failure);
  void respond(http::Response response);
  void count_refused_events();

  const Door door_;
  const std::shared_ptr<DoorState> state_;
  http::Responder responder_;
  const std::chrono::steady_clock::time_point received_ = std::chrono::steady_clock::now();
  std::optional<std::int64_t> outcome_wait_ms_;
  bool waits_for_token_ = false;
  GroupedEvents events_;
  runtime::Token token_;  // of what is stored
};

}  // namespace granary::entry
