// The port to the log. Topics hold partitions, partitions hold records with dense offsets from 0.
//
// Laws of the port, held by one conformance suite over every door (tests/conformance/journal_suite.h):
//  - an append is one partition's records in order, refused as a whole or written as a whole; if the write itself
//  fails,
//    some of them may be stored, and then all before them are;
//  - records of one append are not mixed with those of other appends of the same journal object; records of another
//    process may come between them;
//  - `done` is called after the records are durable; a reader sees only what is durable;
//  - appends to one partition are stored in the order of the calls;
//  - nothing is ever changed or removed.
//
// Threads: all functions may be called from any thread. `done` and the listener run on a thread of the journal's, or
// (the memory door) on a thread within append(): they must be short, must not block, must not call create_topic or the
// journal's destructor, and must not take a lock that its owner holds around append().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/result.h"
#include "shared/journal/headers.h"

namespace granary::journal {

using Offset = std::uint64_t;

struct Partition {
  std::string topic;
  std::uint16_t number = 0;
  auto operator<=>(const Partition&) const = default;
};

// An inbox's record is its value. Outward streams have a key and headers too; both are empty elsewhere.
struct Record {
  Bytes value;
  Bytes key;
  Headers headers;
  bool operator==(const Record&) const = default;
};

// The largest value of a record, in bytes. A larger one is invalid_input.
inline constexpr std::size_t kRecordBytesMax = 60 * 1024;

struct TopicInfo {
  std::string name;
  std::uint16_t partitions = 0;
  bool operator==(const TopicInfo&) const = default;
};

// What a reader asked for: records from `first` on, in order, without a gap. Reuse one object to reuse its memory.
struct ReadBatch {
  Offset first = 0;
  std::vector<Record> records;
  Offset end = 0;  // of the partition, as far as the journal knew it then; never before the last record here
};

// The offsets of an append's records, one each, ascending.
using Offsets = std::vector<Offset>;

class Journal {
 public:
  // Receives the offsets of the records, or why the append failed. After an error the records may or may not be stored
  // (a crash between the write and its answer, or an answer that was lost), so the caller reads before it appends
  // again. An append called after a failed one may succeed, so a writer stops at its first error.
  using AppendDone = std::function<void(Result<Offsets>)>;
  // Told that `partition` has grown. May be told more often than needed.
  using Listener = std::function<void(const Partition&)>;

  virtual ~Journal() = default;

  // Makes a topic. If there is one of that name with as many partitions, that is no error; another count is `conflict`.
  virtual Result<void> create_topic(const TopicInfo& topic) = 0;
  // All topics, by name.
  virtual Result<std::vector<TopicInfo>> topics() const = 0;

  // Appends in order; see the laws. At least one record. An unknown partition is `not_found` by `done`.
  virtual void append(const Partition& partition, std::vector<Record> records, AppendDone done) = 0;

  // Reads records starting at `from`. Returns at least one if this object has acknowledged a record at `from`, counted
  // it in end() or announced it to the listener; returns none at the end. Returns about `bytes_max` bytes of values at
  // most, but always one record. Errors: conflict (`from` is beyond the end: the log is shorter than the caller knows
  // it to have been), unavailable (the server of the log does not answer now).
  virtual Result<void> read(const Partition& partition, Offset from, std::size_t bytes_max, ReadBatch& batch) const = 0;

  // The number of durable records: the offset that the next one gets.
  virtual Result<Offset> end(const Partition& partition) const = 0;

  // One listener for the journal; set before the first append, cleared with nullptr. The former one is not called any
  // more once this has returned.
  virtual void set_listener(Listener listener) = 0;

  // Tells the log's own tools how far the reader of an inbox has folded (Kafka: the group's offsets, so that lag tools
  // work). Nothing is ever read back from it.
  virtual void note_folded(const Partition& /*partition*/, Offset /*next*/) {}

  // The process is about to stop: from now on no read waits long for a server that is away; it answers `unavailable`.
  virtual void stop_waiting() {}
  // Call it before the destructor if appends may be waiting for a server that is away: after `patience` they are
  // answered with `unavailable`, and so is each later one. Reads go on.
  virtual void finish_appends(std::chrono::milliseconds /*patience*/) {}
};

// Appends and waits until it is durable; the offset of the first record. For start-up, tools and tests; never on a
// thread that the journal calls back on.
Result<Offset> append_and_wait(Journal& journal, const Partition& partition, std::vector<Record> records);

}  // namespace granary::journal
