// What Granary's processes ask each other about a shard: waits along the lanes, and outcomes of raw records. Messages
// in the canonical encoding of codec/wire.h, as `application/x-protobuf`; nothing of them is stored. In an upgrade two
// builds speak: a field that the other does not know is passed over, so a new one must be one that may be.
//
//   POST /v1/shards/{machine}/{shard}/wait      WaitQuestion -> LanesAnswer
//   POST /v1/shards/{machine}/{shard}/outcomes  OutcomesQuestion -> OutcomesAnswer
//
// 503 `not_folded_yet` if the wait was too long, 409 `beyond_the_log` if the inbox ends before the position, 503
// `no_owner` if the process does not own the shard. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "shared/events/event_codec.h"
#include "shared/http/loop.h"
#include "shared/routes/route.h"
#include "shared/runtime/runtime.h"

namespace granary::peers {

// Reads a message, also one with fields of a newer build. False: it is none.
template <class Message>
bool read_shard_message(BytesView bytes, Message& message) {
  return codec::read_message(bytes, message) != codec::Read::malformed;
}

inline constexpr std::string_view kShardMessageType = "application/x-protobuf";
// How long a read or a write waits for a token before it answers 503.
inline constexpr std::int64_t kWaitMsMax = 30'000;

inline constexpr int kBeyondTheLogStatus = 409;

struct LaneMessage {
  machine::MachineKind machine{};  // of a question: whose lane
  std::uint64_t topic = 0;         // of an answer: where to, runtime::Topic
  std::uint64_t shard = 0;         // the lane's shard, or the topic's partition
  std::uint64_t number = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "machine", s.machine, codec::kOptional);
    visit(2, "topic", s.topic, codec::kOptional);
    visit(3, "shard", s.shard, codec::kOptional);
    visit(4, "number", s.number, codec::kOptional);
  }
};

struct WaitQuestion {
  std::uint64_t position = 0;
  std::uint64_t published = 0;  // 1: what came of it must be in the outward streams
  std::int64_t wait_ms = 0;
  std::vector<LaneMessage> lanes;
  std::uint64_t committed = 0;  // 1: it must be committed, so that a read sees it
  std::uint64_t rules = 0;      // the rules version that it must fold by
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "position", s.position, codec::kOptional);
    visit(2, "published", s.published, codec::kOptional);
    visit(3, "wait_ms", s.wait_ms, codec::kOptional);
    visit(4, "lanes", s.lanes, codec::kOptional);
    visit(5, "committed", s.committed, codec::kOptional);
    visit(6, "rules", s.rules, codec::kOptional);
  }
};

struct LanesAnswer {
  std::vector<LaneMessage> lanes;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "lanes", s.lanes, codec::kOptional);
  }
};

struct OutcomesQuestion {
  std::uint64_t first = 0;                    // the smallest offset
  std::vector<std::uint64_t> offsets_behind;  // the offsets, less `first`
  std::int64_t wait_ms = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "first", s.first, codec::kOptional);
    visit(2, "offsets_behind", s.offsets_behind, codec::kOptional);
    visit(3, "wait_ms", s.wait_ms, codec::kOptional);
  }
};

struct OutcomeMessage {
  std::uint64_t judgement = 0;  // machine::Judgement; 0: folded too long ago to know
  std::string reason, field, hint;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "judgement", s.judgement, codec::kOptional);
    visit(2, "reason", s.reason, codec::kOptional);
    visit(3, "field", s.field, codec::kOptional);
    visit(4, "hint", s.hint, codec::kOptional);
  }
};

struct OutcomesAnswer {
  std::vector<OutcomeMessage> outcomes;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "outcomes", s.outcomes, codec::kOptional);
  }
};

// The two routes. `runtime` and `loop` outlive them.
routes::Table shard_routes(runtime::Runtime& runtime, http::Loop& loop);

}  // namespace granary::peers
