// The rows of the embedded journal's database. Inside shared/journal only. Pure functions, any thread.
//
//   key                                               value
//   u16 topic id, u16 partition, u64 first offset     the records from there on
//   u16 0, 'g'                                        the newest group: u64 number, 32 bytes hash, 32 bytes hash before
//   u16 0, 't', name                                  a topic: u16 id (from 1), u16 partitions
//
// Records that are appended together share rows of some 64 KiB, compressed: RocksDB then has fewer and
// smaller rows to work on. A row of records begins with a flag:
//   0   one record without key and headers: its value
//   1   one record: the key as a part, u32 number of headers, name and value of each as parts, the value
//   2   several: u32 number of them, u32 size of what follows uncompressed, an LZ4 block of parts, each a record as
//   above
// A part is u32 length and bytes. Numbers are big-endian. LZ4's block format: lz4_Block_format.md of lz4 1.9.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/journal/journal.h"

namespace granary::journal {

using granary::view_of;
using RecordKey = std::array<char, 12>;
RecordKey record_key(std::uint16_t topic, std::uint16_t partition, Offset offset);
inline BytesView view_of(const RecordKey& key) {
  return {key.data(), key.size()};
}

// What one key holds.
struct RecordsRow {
  std::uint32_t records = 0;
  Bytes value;
};
std::vector<RecordsRow> encode_records(const std::vector<Record>& records);

// Reads a row of records; reuse it to reuse its memory. `value` lives as long as it is read.
class RecordsReader {
 public:
  // False: the bytes are no row of records.
  bool open(BytesView value);
  // The number of records that were not taken or skipped yet.
  [[nodiscard]] std::uint32_t left() const { return left_; }
  // The next one, into `record`, reusing its memory. False: broken bytes.
  bool next(Record& record);
  bool skip();

 private:
  bool take(BytesView& encoded);

  std::uint32_t left_ = 0;
  BytesView one_;  // of a row that holds one
  Bytes several_;  // uncompressed
  BytesView rest_;
};

struct GroupRow {
  std::uint64_t group = 0;
  Hash32 hash{};    // SHA-256(before, data of the group's write batch without this row)
  Hash32 before{};  // the hash of group - 1; zeros before the first
};
Bytes group_key();
Bytes encode_group(const GroupRow& row);
std::optional<GroupRow> decode_group(BytesView bytes);

struct TopicRow {
  std::uint16_t id = 0;
  std::uint16_t partitions = 0;
};
Bytes topic_key_prefix();
Bytes encode_topic(const TopicRow& row);
std::optional<TopicRow> decode_topic(BytesView bytes);

}  // namespace granary::journal
