// The records of inboxes, byte for byte. Four bytes come first: the mark (two bytes), the check byte of the
// ledger's id, the kind (high half) with its format version (low half). The rest is the message of that name in
// schemas/granary/events/v1/record.proto, in the canonical encoding of shared/codec/wire.h. The page is
// docs/formats.md. Values; any thread; views live as long as the record's bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/events/event_codec.h"

namespace granary::events {

enum class RecordKind : std::uint8_t { genesis = 1, tick = 2, raw = 3, packet = 4, checkpoint = 5 };
inline constexpr std::uint8_t kRecordVersion = 1;
inline constexpr std::string_view kRecordMark = "\xf7\x67";  // no text in UTF-8 begins so
inline constexpr std::size_t kFrontBytes = 4;

// Record 0 of each inbox partition.
struct Genesis {
  Id16 ledger{};
  std::uint64_t partitions = 0;  // of every topic but applications
  std::string topic;
  std::uint64_t partition = 0;
  Instant created_at;
  std::uint64_t rules = 0;  // the rules version that the ledger begins with
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "ledger", s.ledger, kRequired);
    visit(2, "partitions", s.partitions, kRequired);
    visit(3, "topic", s.topic, kRequired);
    visit(4, "partition", s.partition, kOptional);
    visit(5, "created_at", s.created_at, kRequired);
    visit(6, "rules", s.rules, kRequired);
  }
};

struct Tick {
  Instant instant;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "instant", s.instant, kRequired);
  }
};

// How the door knows who called. `open`: it asked nobody who they are. `internal`: a command of Granary's own that
// appends without a door.
enum class CallerKind : std::uint8_t { open = 1, token, oidc, mtls, internal };

// Who brought an event, as the door saw it. No name and no address: `id` is opaque.
struct Caller {
  CallerKind kind{};
  std::string id;  // at most 64 bytes; may be empty for `open`
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "kind", s.kind, kRequired);
    visit(2, "id", s.id, kOptional);
  }
};

inline constexpr std::size_t kCollectorBytesMax = 64;

// The envelope of a raw event. `substance` are the event's bytes (message Event), hashed as they are.
// `actor` is who decided or sent it in the sender's own words; `caller` is what the door saw, always there, and no
// sender can say it. `collector` is the program, with its version, that reported a usage (`slurm-agent/0.4.1`), empty
// for all else: no charge depends on it, so that two paths that report one job agree, and nothing that follows from a
// usage carries it on. Who asks which program reported a job finds it here, by the receipt or the (source, id); of what
// a machine refused record.refused has it too.
struct Raw {
  std::string source, id;  // of the sender: the event's identity
  Root root;               // of the usage it speaks of; of everything else: itself
  Instant time;            // the sender's own
  std::string actor, door, trace;
  Instant recorded_at;
  std::string substance;
  UsageNotes notes;
  Caller caller;
  std::string collector;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
    visit(3, "root", s.root, kRequired);
    visit(4, "time", s.time, kRequired);
    visit(5, "actor", s.actor, kOptional);
    visit(6, "door", s.door, kOptional);
    visit(7, "trace", s.trace, kOptional);
    visit(8, "recorded_at", s.recorded_at, kRequired);
    visit(9, "substance", s.substance, kRequired);
    visit(10, "notes", s.notes, kOptional);
    visit(11, "caller", s.caller, kRequired);
    visit(12, "collector", s.collector, kOptional);
  }
};

// What doors promise of an envelope: sizes, times, and the root of the event itself (nullptr: it is its own). Folds
// refuse by name what no door would have written. As check_form() of events, a change needs a rules version.
std::optional<codec::FormError> check_envelope(const Raw& raw, const Root* root);

// Events `first`, first + 1, ... of a lane; `before` is the lane's chained hash before `first`.
struct Packet {
  MachineKind machine{};
  std::uint64_t shard = 0;
  std::uint64_t first = 0;
  std::string before;               // 32 bytes
  std::vector<std::string> events;  // each the message Event
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "machine", s.machine, kRequired);
    visit(2, "shard", s.shard, kOptional);
    visit(3, "first", s.first, kRequired);
    visit(4, "before", s.before, kRequired);
    visit(5, "events", s.events, kRequired);
  }
};

// How far a lane was read when its target was folded up to a checkpoint.
struct CheckpointLane {
  MachineKind machine{};
  std::uint64_t shard = 0;
  std::uint64_t next = 0;  // the number expected next
  std::string hash;        // 32 bytes: chained before `next`
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "machine", s.machine, kRequired);
    visit(2, "shard", s.shard, kOptional);
    visit(3, "next", s.next, kRequired);
    visit(4, "hash", s.hash, kRequired);
  }
};

// What an inbox partition held when it was folded up to `size`: for writers that have to know how far their lanes are
// and would otherwise read all of it.
struct Checkpoint {
  std::string topic;
  std::uint64_t partition = 0;
  std::uint64_t size = 0;        // records
  std::string last_record_hash;  // 32 bytes: SHA-256 of record size - 1
  std::vector<CheckpointLane> lanes;
  std::string check;  // 32 bytes: SHA-256 of the message without this field. What it says cannot be seen to be wrong.
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "topic", s.topic, kRequired);
    visit(2, "partition", s.partition, kOptional);
    visit(3, "size", s.size, kRequired);
    visit(4, "last_record_hash", s.last_record_hash, kRequired);
    visit(5, "lanes", s.lanes, kOptional);
    visit(6, "check", s.check, kOptional);
  }
};

// The check byte of a ledger's id: its bytes, XORed.
std::uint8_t check_byte(const Id16& ledger);

// The four bytes in front of a record.
Bytes front_of(const Id16& ledger, RecordKind kind);

template <class T>
struct KindOf;
template <>
struct KindOf<Genesis> {
  static constexpr RecordKind kKind = RecordKind::genesis;
};
template <>
struct KindOf<Tick> {
  static constexpr RecordKind kKind = RecordKind::tick;
};
template <>
struct KindOf<Raw> {
  static constexpr RecordKind kKind = RecordKind::raw;
};
template <>
struct KindOf<Packet> {
  static constexpr RecordKind kKind = RecordKind::packet;
};
template <>
struct KindOf<Checkpoint> {
  static constexpr RecordKind kKind = RecordKind::checkpoint;
};

// The record of a ledger.
template <class T>
Bytes encode_record(const Id16& ledger, const T& body) {
  Bytes out = front_of(ledger, KindOf<T>::kKind);
  codec::encode(body, out);
  return out;
}

// Whose a record is, by its front.
enum class Whose : std::uint8_t {
  known,    // this ledger's, of a kind and version that this build knows
  newer,    // this ledger's, of another kind or version: a newer build wrote it
  foreign,  // no record at all, or another ledger's
};
Whose whose_is(BytesView record, const Id16& ledger);

// The kind, if the record is of a kind and version that this build knows, whatever its ledger; else nullopt.
std::optional<RecordKind> kind_of(BytesView record);
// The body behind the front.
inline BytesView body_of(BytesView record) {
  return record.substr(kFrontBytes);
}

// Of a record of the checkpoints topic; nullopt: it is none that this build can read.
std::optional<Checkpoint> read_checkpoint(BytesView record);

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::events::CallerKind, "open", "token", "oidc", "mtls", "internal");
