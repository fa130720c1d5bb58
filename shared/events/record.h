// The records of inboxes, byte for byte. The first byte is the kind (high half) and its format version (low half); the
// rest is the message of that name in schemas/granary/events/v1/record.proto, in the canonical encoding of
// shared/codec/wire.h. The page is docs/formats.md. Values; any thread; views live as long as the record's bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/events/event_codec.h"

namespace granary::events {

enum class RecordKind : std::uint8_t { genesis = 1, tick = 2, raw = 3, packet = 4, checkpoint = 5 };
inline constexpr std::uint8_t kRecordVersion = 1;

// Record 0 of each inbox partition.
struct Genesis {
  Id16 ledger{};
  std::uint64_t partitions = 0;  // of every topic but applications
  std::string topic;
  std::uint64_t partition = 0;
  Instant created_at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "ledger", s.ledger, kRequired);
    visit(2, "partitions", s.partitions, kRequired);
    visit(3, "topic", s.topic, kRequired);
    visit(4, "partition", s.partition, kOptional);
    visit(5, "created_at", s.created_at, kRequired);
  }
};

struct Tick {
  Instant instant;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "instant", s.instant, kRequired);
  }
};

// The envelope of a raw event. `substance` are the event's bytes (message Event), hashed as they stand.
struct Raw {
  std::string source, id;  // of the sender: the event's identity
  Root root;               // of the usage it speaks of; of everything else: itself
  Instant time;            // the sender's own
  std::string actor, door, trace;
  Instant recorded_at;
  std::string substance;
  UsageNotes notes;
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
  }
};

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

// What an inbox partition held when it was folded up to `size`: for writers that have to know where their lanes stand
// and would otherwise read all of it.
struct Checkpoint {
  std::string topic;
  std::uint64_t partition = 0;
  std::uint64_t size = 0;        // records
  std::string last_record_hash;  // 32 bytes: SHA-256 of record size - 1
  std::vector<CheckpointLane> lanes;
  std::string check;  // 32 bytes: SHA-256 of the record without this field. What it says cannot be seen to be wrong.
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

template <class T>
Bytes encode_record(RecordKind kind, const T& body) {
  Bytes out(1, static_cast<char>(static_cast<std::uint8_t>(kind) << 4 | kRecordVersion));
  codec::encode(body, out);
  return out;
}
inline Bytes encode_record(const Genesis& body) {
  return encode_record(RecordKind::genesis, body);
}
inline Bytes encode_record(const Tick& body) {
  return encode_record(RecordKind::tick, body);
}
inline Bytes encode_record(const Raw& body) {
  return encode_record(RecordKind::raw, body);
}
inline Bytes encode_record(const Packet& body) {
  return encode_record(RecordKind::packet, body);
}

inline Bytes encode_record(const Checkpoint& body) {
  return encode_record(RecordKind::checkpoint, body);
}

// Of a record of the checkpoints topic; nullopt: it is none that this build can read.
std::optional<Checkpoint> read_checkpoint(BytesView record);

// The kind, where the record is one of an inbox's kinds and version that this build knows; else nullopt (the partition
// parks).
std::optional<RecordKind> kind_of(BytesView record);
// The body after the first byte.
inline BytesView body_of(BytesView record) {
  return record.substr(1);
}

}  // namespace granary::events
