// What a machine is: a pure fold of one partition of its inbox. No clock, I/O, thread, exception or floating point in
// here; what it knows came in by its events, what it does goes out through Out, and its rows reach the store through
// flush().
//
// Threads: a machine belongs to its shard's thread, one that is only shown rows to the reader's. Views into inputs live
// during the call only.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/check.h"
#include "shared/events/record.h"
#include "shared/machine/row_form.h"
#include "shared/machine/topology.h"
#include "shared/store/store.h"

namespace granary::machine {

using units::Instant;

// Finds the shard of a key (a project, an organisation), remembering some thousands of answers: a SHA-256 each is dear.
class Router {
 public:
  explicit Router(std::uint16_t partitions);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  [[nodiscard]] std::uint16_t shard_of(BytesView key);

 private:
  struct Memo;
  std::uint16_t partitions_;
  std::unique_ptr<Memo> memo_;
};

// Where and when an event is folded. All of it is in the log.
struct Context {
  MachineKind machine{};
  std::uint16_t shard = 0;
  std::uint16_t partitions = 0;  // of the ledger
  std::uint64_t offset = 0;      // of the record in the inbox
  Instant now;                   // the largest tick folded; for apply_tick the tick itself
  Instant complete;              // nothing recorded before it is still in flight towards this shard
  Router* router = nullptr;
  std::uint64_t rules = 1;  // the rules version in force

  // When an event counts as recorded for `complete`, cut-offs and periods: of several doors one may be a minute behind,
  // so that an event can come after a tick later than its own `recorded_at`; it counts as of that tick.
  [[nodiscard]] Instant counts_as_recorded(Instant recorded_at) const { return std::max(recorded_at, now); }
};

// Constants of rules version 1: how many rows of open sweeps are done before an event's own work, and before a tick's.
// A row takes 2 to 5 µs: an event behind a thousand others waits a quarter of a second at most, and a quiet ledger,
// which ticks every 10 seconds, still gets through its sweeps.
inline constexpr std::size_t kSweepRows = 50;
inline constexpr std::size_t kSweepRowsOfTick = 10 * kSweepRows;

// How an event comes to a machine.
enum class Way : std::uint8_t { raw, lane };

// The identity of the event (root, source and id); that of a root itself has no more parts, so that its hash names its
// shard too.
Id16 identity_of(const events::Raw& raw);
Id16 root_identity(const events::Root& root);

// SHA-256 of the substance's bytes, as stored.
Hash32 substance_hash(const events::Raw& raw);

// A raw event. `identity` is the hash over root and sender's (source, id).
struct RawInput {
  const events::Raw& raw;
  const events::Event& event;
  Id16 identity;
};

// An event of a lane.
struct LaneInput {
  MachineKind from{};
  std::uint16_t shard = 0;
  std::uint64_t number = 0;
  const events::Event& event;
};

// A reason as the static text that an Outcome holds. The names of rules are few. Any thread.
std::string_view interned(const std::string& reason);

enum class Judgement : std::uint8_t { accepted = 1, repeat, waiting, refused };

// What became of a raw event. Refused: `reason` is the broken rule's name (static text), `field` a JSON pointer into
// the data, `hint` what to do; the runtime writes record.refused from it.
struct Outcome {
  Judgement judgement = Judgement::accepted;
  std::string_view reason = {};
  std::string field = {};
  std::string hint = {};

  static Outcome refuse(std::string_view reason, std::string field, std::string hint) {
    return {Judgement::refused, reason, std::move(field), std::move(hint)};
  }
};

// Where a machine's events go. Each (topic, partition) is a lane of the shard's, numbered from 1.
class Out {
 public:
  virtual ~Out() = default;

  // To an inbox. Returns the event's number in its lane.
  template <class T>
  std::uint64_t emit(Topic inbox, std::uint16_t partition, const T& event) {
    GRANARY_CHECK(is_inbox(inbox), "an event leaves for the outside by publish()");
    return encode_and_send(inbox, partition, event);
  }
  // The number that the next event of that lane will have.
  [[nodiscard]] virtual std::uint64_t next_number(Topic topic, std::uint16_t partition) const = 0;
  // To every partition of a topic, as facts go.
  template <class T>
  void broadcast(Topic topic, std::uint16_t partitions, const T& event) {
    scratch_.clear();
    events::encode_event(event, scratch_);
    for (std::uint16_t partition = 0; partition < partitions_of(topic, partitions); ++partition)
      send(topic, partition, scratch_);
  }
  // To the outside, on the stream that the catalogue names for the event; `partition` is the shard's own.
  template <class T>
  requires(events::kRow<T>.leaves.has_value()) std::uint64_t publish(std::uint16_t partition, const T& event) {
    return encode_and_send(events::kRow<T>.leaves->stream, partition, event);
  }
  // From the next record on the machine folds by this version, the one after that in force. All its lanes are told
  // before any other event, so call it before anything is emitted. Only for who folds rules.activated.
  virtual void activate_rules(std::uint64_t version) = 0;

 protected:
  virtual std::uint64_t send(Topic topic, std::uint16_t partition, BytesView event) = 0;

 private:
  template <class T>
  std::uint64_t encode_and_send(Topic topic, std::uint16_t partition, const T& event) {
    scratch_.clear();
    events::encode_event(event, scratch_);
    return send(topic, partition, scratch_);
  }
  Bytes scratch_;
};

// A number that a machine tells without being asked: GET /v1/status and /metrics show it. The texts are static.
struct Figure {
  std::string_view name;    // of the member: "unrated"
  std::string_view metric;  // of the gauge, behind "granary_": "unrated_charges"
  std::string_view help;    // of the gauge
  std::uint64_t value = 0;
};

class Machine {
 public:
  virtual ~Machine() = default;

  // Of its rows; the same for every object of its kind. The runtime shows it rows of no other form, but see
  // RowForm::readable_from.
  [[nodiscard]] virtual RowForm row_form() const = 0;

  // Once, before all else. The view shows the rows of the last commit and lives as long as the machine.
  virtual void open(const store::View& rows) = 0;
  // In place of open(), for one that only answers questions: lets it see these rows, and forget what it saw before.
  // Nothing may be applied to it. Called before each question, so that it must read none of them yet.
  virtual void show(const store::View& rows) = 0;

  // Whether this machine has a rule, in that version, for an event of this type that comes this way. Without one the
  // partition parks. lane.completed, and rules.activated on lanes, are the runtime's.
  [[nodiscard]] virtual bool has_rule(Way way, const events::Event& event, std::uint64_t rules) const = 0;

  // A refusal changes nothing and emits nothing.
  virtual Outcome apply_raw(const RawInput& input, const Context& context, Out& out) = 0;
  // An event of a lane is never refused.
  virtual void apply_lane(const LaneInput& input, const Context& context, Out& out) = 0;
  // `now` has advanced from `before` to context.now.
  virtual void apply_tick(Instant before, const Context& context, Out& out) = 0;

  // Work on many rows that is done a few at a time (sweeps.h). The runtime goes on with it before each event that it
  // gives to the machine, `rows` rows at most, and before apply_tick with more.
  [[nodiscard]] virtual bool has_sweeps(const Context& /*context*/) const { return false; }
  virtual void sweep(std::size_t /*rows*/, const Context& /*context*/, Out& /*out*/) {}
  // While one is open: the time up to which everything is done, beyond which nothing is `complete`.
  [[nodiscard]] virtual std::optional<Instant> swept_until(const Context& /*context*/) { return std::nullopt; }
  // Whether what an event of this lane up to that number began is still under way.
  [[nodiscard]] virtual bool owes(MachineKind /*from*/, std::uint16_t /*shard*/, std::uint64_t /*number*/) const {
    return false;
  }

  // Adds each row that changed since the last flush, and checks the books. The rows go into the store before the next
  // call of any function here. What a row holds never depends on when this is called.
  virtual void flush(store::WriteSet& rows) = 0;
  // The rows of the last flush are in the store: the cache may shrink.
  virtual void committed() = 0;

  // What it tells, after open() and after each commit: reads counters, scans nothing.
  [[nodiscard]] virtual std::vector<Figure> figures() { return {}; }
};

}  // namespace granary::machine
