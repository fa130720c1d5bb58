// POST /v1/events: takes CloudEvents, appends them to the inboxes as raw records, and answers once they are durable.
// Nothing is decided here but form; what becomes of an event is the fold's affair.
//
// Threads: all functions on any thread; answers come on the listener's, the journal's or a worker's. Ownership: the
// door refers to journal, runtime, loop and clock; close() it (or destroy it) before any of them ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "shared/clock/clock_keeper.h"
#include "shared/entry/door_state.h"
#include "shared/http/loop.h"
#include "shared/http/message.h"
#include "shared/journal/journal.h"
#include "shared/json/strict_json.h"
#include "shared/runtime/runtime.h"

namespace granary::entry {

struct EventDoorOptions {
  std::string name = "http";  // of this door, in each record
  json::Limits json = {};     // bytes: at least the listener's body_bytes
  // The longest wait for outcomes (`Prefer: wait=N`) and for a token (`?after=`).
  std::int64_t outcome_wait_ms_max = 30'000;
  std::int64_t after_wait_ms_max = 30'000;
  // How long a log that does not answer is waited for: then 503, though the events may be stored later.
  std::int64_t append_wait_ms_max = 10'000;
};

class EventDoor {
 public:
  EventDoor(journal::Journal& journal, runtime::Runtime& runtime, http::Loop& loop, const clock::ClockKeeper& clock,
            EventDoorOptions options = {});
  ~EventDoor();  // close()

  // Answers 202 with `accepted`, `refused`, `after` (a token) and `results` in the order of the events; 422 with the
  // same, as a problem, if nothing was appended and something refused; 503 or 507 with the same if an append
  // failed or has taken too long (some may be stored: sent again with the same ids, they are repeats). Whole requests:
  // 400, 413, 415, and 503 while the clock waits for a person, after fail() and after close().
  void post(http::Request request, http::Responder responder);

  // From now on nothing is taken: the process is about to stop because of this.
  void fail(const Error& error);
  // From now on nothing is taken; returns once every append of this door has been answered.
  void close();

  [[nodiscard]] EventDoorCounters counters() const;

 private:
  journal::Journal& journal_;
  runtime::Runtime& runtime_;
  http::Loop& loop_;
  const clock::ClockKeeper& clock_;
  EventDoorOptions options_;
  std::shared_ptr<DoorState> state_;
};

}  // namespace granary::entry
