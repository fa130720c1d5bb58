// The rows of the embedded journal's database. Inside shared/journal only. Pure functions, any thread.
//
//   key                                               value
//   u16 topic id, u16 partition, u64 offset           a record
//   u16 0, 'g'                                        the newest group: u64 number, 32 bytes hash, 32 bytes hash before
//   u16 0, 't', name                                  a topic: u16 id (from 1), u16 partitions
//
// A record is one flag byte and the value (flag 0), or flag 1, the key as a part, u32 number of headers, name and value
// of each as parts, and the value. A part is u32 length and bytes. Numbers are big-endian.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "shared/base/bytes.h"
#include "shared/journal/journal.h"

namespace granary::journal {

using granary::view_of;
using RecordKey = std::array<char, 12>;
RecordKey record_key(std::uint16_t topic, std::uint16_t partition, Offset offset);
inline BytesView view_of(const RecordKey& key) {
  return {key.data(), key.size()};
}

// What stands before the value.
void encode_record_start(const Record& record, Bytes& out);
// Fills `record`, reusing its memory. False: the bytes are no record.
bool decode_record(BytesView bytes, Record& record);

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
