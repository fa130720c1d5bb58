// What a shard's store holds: the runtime's keys and rows, and what can be read from them without a fold. Of the
// machine's own rows this knows only the first byte of their keys.
//
// Threads: as the view that is given.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/check.h"
#include "shared/codec/wire.h"
#include "shared/fold/as_of.h"
#include "shared/machine/machine.h"
#include "shared/store/store.h"

namespace granary::runtime {

using machine::MachineKind;
using machine::Topic;
using units::Instant;

// The first byte of every key: the machine's rows, and the runtime's.
constexpr char kDomain = 'd';
constexpr std::string_view kPlaceKey = "mP";
constexpr std::string_view kInLaneKey = "mI";
constexpr std::string_view kOutLaneKey = "mL";
constexpr std::string_view kOutboxKey = "mO";
constexpr std::string_view kAckedKey = "mA";
constexpr std::string_view kStampKey = "mS";

// Of the runtime's rows, their keys, and the packets of the outbox. Two things are the same in every format: the key
// and the fields of the stamp, so that each build recognises another's rows; and the key and the first two fields of
// the place.
inline constexpr machine::RowForm kRuntimeRows{.format = 1, .revision = 2, .readable_from = 1};

struct PlaceRow {
  std::uint64_t position = 0;
  std::string last_hash;
  Instant now;
  std::uint64_t rules = 0;             // the version in force
  std::uint64_t events = 0;            // of the packet at `position`: how many are folded already
  std::optional<Instant> swept_until;  // while a sweep is open: nothing beyond it is complete
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "position", s.position, codec::kOptional);
    visit(2, "last_hash", s.last_hash, codec::kOptional);
    visit(3, "now", s.now, codec::kOptional);
    visit(4, "rules", s.rules, codec::kOptional);
    visit(5, "events", s.events, codec::kOptional);
    visit(6, "swept_until", s.swept_until, codec::kOptional);
  }
};

// Which build wrote the store's rows, in which form. Each store has it from its first commit on.
struct StampRow {
  std::uint64_t format = 0, revision = 0;                  // of the machine's rows
  std::uint64_t runtime_format = 0, runtime_revision = 0;  // of the runtime's
  std::string build;                                       // information
  bool operator==(const StampRow&) const = default;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "format", s.format, codec::kOptional);
    visit(2, "revision", s.revision, codec::kOptional);
    visit(3, "runtime_format", s.runtime_format, codec::kOptional);
    visit(4, "runtime_revision", s.runtime_revision, codec::kOptional);
    visit(5, "build", s.build, codec::kOptional);
  }
};

struct LaneRow {
  std::uint64_t number = 0;
  std::string hash;
  Instant completed;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "number", s.number, codec::kOptional);
    visit(2, "hash", s.hash, codec::kOptional);
    visit(3, "completed", s.completed, codec::kOptional);
  }
};

template <class Row>
Row decode_row(BytesView value) {
  Row row;
  GRANARY_CHECK(codec::decode(value, row), "a row of the runtime's does not decode");
  return row;
}

template <class Row>
Bytes encode_row(const Row& row) {
  Bytes value;
  codec::encode(row, value);
  return value;
}

// What this build writes as the stamp.
StampRow own_stamp(const machine::RowForm& machine);

// What a store says before any other row of it is read: the form of its rows, and its position.
struct Standing {
  bool is_empty = true;  // nothing was ever folded into it
  StampRow stamp;        // all zero if there is none that can be read
  machine::RowsAre rows = machine::RowsAre::known;
  // Of its place, if that can be read.
  std::optional<std::uint64_t> position;
  std::optional<Hash32> last_record_hash;
};
// `own`: the row form of this build's machine. This never stops the process, whatever the rows are.
Standing standing_of(const store::View& whole, const machine::RowForm& own);

// "1.2/1.1 (build 0.1.0)": format and revision of the machine's rows and of the runtime's.
std::string to_text(const StampRow& stamp);

// The rows of a machine within its shard's store; all other rows there are the runtime's (position, lanes, outbox).
class DomainView final : public store::View {
 public:
  explicit DomainView(const store::View& whole) : whole_(whole) {}
  [[nodiscard]] std::optional<Bytes> get(BytesView key) const override;
  void scan(BytesView from, BytesView to, const std::function<bool(BytesView, BytesView)>& visit) const override;

 private:
  const store::View& whole_;
};

// SHA-256 over the machine's rows in key order, each key and value preceded by its length.
Hash32 state_digest(const store::View& whole);

// How many records of its inbox a store has folded, and how many events of the one behind them.
struct StoredPlace {
  std::uint64_t position = 0, events = 0;
};
StoredPlace stored_place(const store::View& whole);
std::uint64_t stored_position(const store::View& whole);

using machine::LaneTarget;

// A closed packet of an outgoing lane. For an inbox it is one record, for an outward stream the events of several.
struct OutPacket {
  LaneTarget target;
  std::uint64_t first = 0, last = 0;
  Bytes bytes;
};

struct LaneCounter {
  std::uint64_t number = 0;  // of the last event
  Hash32 hash{};             // chained up to it
  bool operator==(const LaneCounter&) const = default;
};
using LaneCounters = std::map<LaneTarget, LaneCounter>;

// What an answer from the rows of a shard's store holds for.
AsOf stored_as_of(const store::View& whole, MachineKind machine, std::uint16_t shard, std::uint16_t partitions);

// What a store's machine has emitted on each of its lanes.
LaneCounters stored_lanes(const store::View& whole);

// Keys of the runtime's rows.
Bytes lane_key(std::string_view prefix, std::uint8_t kind, std::uint16_t number);
Bytes acked_key(const LaneTarget& target);
Bytes outbox_key(const LaneTarget& target, std::uint64_t first);
// All outbox rows, in order of lane and number.
std::vector<OutPacket> read_outbox(const store::View& whole);

}  // namespace granary::runtime
