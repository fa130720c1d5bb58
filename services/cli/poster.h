// Posts many events as CloudEvents batches, the same ids again while the server is away, and counts what became of
// each.
//
// Threads: one. The API outlives it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "services/cli/api.h"
#include "services/cli/token_sum.h"

namespace granary::cli {

// What an event comes from, so that a refusal can be found again.
struct Origin {
  std::uint64_t line = 0;  // of a file; 0: of none
  std::string job;
};

// An event that was refused, and why.
struct Refused {
  Origin origin;
  std::string reason, field, hint;  // `field`: a JSON pointer into the event's data; may be empty
};

class Poster {
 public:
  // Each batch is appended once the records that `after` (a token, or empty) names are folded. A server that is away is
  // asked again until `retry_for_ms` are over; 0: never.
  Poster(Api& api, std::string after, std::int64_t retry_for_ms)
      : api_(api), after_(std::move(after)), retry_for_ms_(retry_for_ms) {}

  // Errors: `unavailable` with why, if the server took or answered no batch in time. What was answered is taken; the
  // rest may be, and sent again counts once.
  Result<void> add(Origin origin, std::string event);
  Result<void> flush();

  std::uint64_t answered = 0;  // of these:
  std::uint64_t accepted = 0, repeats = 0, waiting = 0;
  std::vector<Refused> refused;
  // Covers all that was answered; empty: nothing was appended.
  [[nodiscard]] std::string token() const { return appended_.text(); }
  // Now the token covers what another one has posted too.
  Result<void> cover(const Poster& other) { return appended_.add(other.token()); }

 private:
  Result<void> count(const std::string& body);

  Api& api_;
  std::string after_;
  std::int64_t retry_for_ms_;
  std::string body_;
  TokenSum appended_;
  std::vector<Origin> origins_;  // of the events in the body
  bool told_ = false;
};

}  // namespace granary::cli
