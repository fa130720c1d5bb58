// What an event door shares with the requests that it has taken: whether it is open, who still uses what it refers to,
// its counters and its budgets of log lines.
//
// Threads: any. Ownership: shared by the door and its requests; lives as long as any of them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "shared/base/result.h"
#include "shared/telemetry/histogram.h"
#include "shared/telemetry/log.h"

namespace granary::entry {

// Since the start.
struct EventDoorCounters {
  std::uint64_t requests = 0;
  std::uint64_t accepted = 0;                             // events appended, also after their sender was told 503
  std::uint64_t failed = 0;                               // events whose append failed
  std::map<std::string, std::uint64_t> refused;           // events, by reason
  std::map<std::string, std::uint64_t> requests_refused;  // whole requests, by the problem's type
  std::uint64_t appends_in_flight = 0;                    // handed to the journal, unanswered
  telemetry::Histogram append_seconds{telemetry::kSecondsBounds};  // handed to the journal until answered
  // Received until answered: requests that wait for no more than their appends, and those that asked to wait for a fold
  // (`?after=`, `Prefer: wait`).
  telemetry::Histogram durable_seconds{telemetry::kSecondsBounds};
  telemetry::Histogram folded_seconds{telemetry::kSecondsBounds};
};

class DoorState : public std::enable_shared_from_this<DoorState> {
 public:
  // While a Use exists, close() does not return, so journal, runtime and clock of the door are there.
  class Use {
   public:
    Use(Use&& other) noexcept = default;
    Use& operator=(Use&& other) noexcept {
      std::swap(state_, other.state_);
      return *this;
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
      if (state_ != nullptr) state_->end_use();
    }

   private:
    friend class DoorState;
    explicit Use(std::shared_ptr<DoorState> state) : state_(std::move(state)) {}
    std::shared_ptr<DoorState> state_;
  };

  // nullopt: the door is closed.
  std::optional<Use> begin_use();
  // From now on begin_use() gives nothing; returns once no Use exists.
  void close();

  // Why the process is about to stop; the first failure counts.
  void fail(const Error& error);
  [[nodiscard]] std::optional<Error> failure() const;

  // `change` gets the counters, alone; it must be short.
  template <class Change>
  void count(const Change& change) {
    const std::lock_guard lock(mutex_);
    change(counters_);
  }
  [[nodiscard]] EventDoorCounters counters() const;

  // Clients can cause these lines without end.
  telemetry::LineBudget request_lines{5};
  telemetry::LineBudget event_lines{5};
  telemetry::LineBudget failure_lines{1};

 private:
  void end_use();

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t uses_ = 0;
  bool closed_ = false;
  std::optional<Error> failure_;
  EventDoorCounters counters_;
};

}  // namespace granary::entry
