#include "shared/journal/embedded_rows.h"

#include <lz4.h>

#include "shared/base/check.h"

namespace granary::journal {
namespace {

constexpr char kPlain = 0;
constexpr char kWithKeyAndHeaders = 1;
constexpr char kSeveral = 2;
constexpr std::size_t kSeveralBytes = 64 << 10;  // LZ4 looks no further back
constexpr std::uint32_t kSeveralBytesMax = 256U
                                           << 20;  // uncompressed: this journal writes none as large, so it is broken
constexpr std::size_t kSeveralHeader = 1 + 4 + 4;

void encode_record(const Record& record, Bytes& out) {
  if (record.key.empty() && record.headers.empty()) {
    out.push_back(kPlain);
  } else {
    out.push_back(kWithKeyAndHeaders);
    append_part(out, record.key);
    record.headers.encode(out);
  }
  out.append(record.value);
}

bool decode_record(BytesView bytes, Record& record) {
  record.key.clear();
  record.headers.clear();
  if (bytes.empty()) return false;
  const char flag = bytes.front();
  bytes.remove_prefix(1);
  if (flag == kWithKeyAndHeaders) {
    const auto key = take_part(bytes);
    if (!key) return false;
    record.key.assign(*key);
    if (!record.headers.take(bytes)) return false;
  } else if (flag != kPlain) {
    return false;
  }
  record.value.assign(bytes);
  return true;
}

void write_u32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 4; i-- > 0; value >>= 8) bytes[at + i] = static_cast<char>(value);
}

RecordsRow encode_several(std::uint32_t records, BytesView parts) {
  thread_local Bytes packed;  // keeps its memory; most of the room that LZ4 wants stays unused
  const int size = static_cast<int>(parts.size());
  const int bound = LZ4_compressBound(size);
  if (packed.size() < static_cast<std::size_t>(bound)) packed.resize(static_cast<std::size_t>(bound));
  const int used = LZ4_compress_default(parts.data(), packed.data(), size, bound);
  GRANARY_CHECK(used > 0, "LZ4 refuses a buffer of the size that it asked for");
  RecordsRow row{records, {}};
  row.value.reserve(kSeveralHeader + static_cast<std::size_t>(used));
  row.value.push_back(kSeveral);
  append_u32(row.value, records);
  append_u32(row.value, static_cast<std::uint32_t>(size));
  row.value.append(packed, 0, static_cast<std::size_t>(used));
  return row;
}

}  // namespace

RecordKey record_key(std::uint16_t topic, std::uint16_t partition, Offset offset) {
  RecordKey key;
  key[0] = static_cast<char>(topic >> 8);
  key[1] = static_cast<char>(topic);
  key[2] = static_cast<char>(partition >> 8);
  key[3] = static_cast<char>(partition);
  for (std::size_t i = 0; i < 8; ++i) key[4 + i] = static_cast<char>(offset >> (8 * (7 - i)));
  return key;
}

std::vector<RecordsRow> encode_records(const std::vector<Record>& records) {
  std::vector<RecordsRow> rows;
  if (records.size() == 1) {
    encode_record(records.front(), rows.emplace_back(RecordsRow{1, {}}).value);
    return rows;
  }
  thread_local Bytes parts;  // keeps its memory
  parts.clear();
  std::uint32_t count = 0;
  for (const Record& record : records) {
    const std::size_t start = parts.size();
    append_u32(parts, 0);
    encode_record(record, parts);
    write_u32(parts, start, static_cast<std::uint32_t>(parts.size() - start - 4));
    ++count;
    if (parts.size() < kSeveralBytes) continue;
    rows.push_back(encode_several(std::exchange(count, 0), parts));
    parts.clear();
  }
  if (count > 0) rows.push_back(encode_several(count, parts));
  return rows;
}

bool RecordsReader::open(BytesView value) {
  left_ = 0;
  if (value.empty()) return false;
  if (value.front() != kSeveral) {
    one_ = value;
    left_ = 1;
    rest_ = {};
    return true;
  }
  one_ = {};
  if (value.size() < kSeveralHeader) return false;
  const std::uint32_t records = read_u32(value.substr(1));
  const std::uint32_t size = read_u32(value.substr(5));
  const BytesView packed = value.substr(kSeveralHeader);
  if (records == 0 || size == 0 || size > kSeveralBytesMax) return false;
  several_.resize(size);
  const int unpacked =
      LZ4_decompress_safe(packed.data(), several_.data(), static_cast<int>(packed.size()), static_cast<int>(size));
  if (unpacked != static_cast<int>(size)) return false;
  rest_ = several_;
  left_ = records;
  return true;
}

bool RecordsReader::take(BytesView& encoded) {
  if (left_ == 0) return false;
  --left_;
  if (!one_.empty()) {
    encoded = one_;
    return true;
  }
  const auto part = take_part(rest_);
  if (!part || (left_ == 0) != rest_.empty()) return false;
  encoded = *part;
  return true;
}

bool RecordsReader::next(Record& record) {
  BytesView encoded;
  return take(encoded) && decode_record(encoded, record);
}

bool RecordsReader::skip() {
  BytesView encoded;
  return take(encoded);
}

Bytes group_key() {
  return Bytes("\0\0g", 3);
}

Bytes encode_group(const GroupRow& row) {
  Bytes bytes;
  append_u64(bytes, row.group);
  bytes.append(view_of(row.hash));
  bytes.append(view_of(row.before));
  return bytes;
}

std::optional<GroupRow> decode_group(BytesView bytes) {
  if (bytes.size() != 8 + 32 + 32) return std::nullopt;
  return GroupRow{read_u64(bytes), *hash_from(bytes.substr(8, 32)), *hash_from(bytes.substr(40))};
}

Bytes topic_key_prefix() {
  return Bytes("\0\0t", 3);
}

Bytes encode_topic(const TopicRow& row) {
  Bytes bytes;
  append_u16(bytes, row.id);
  append_u16(bytes, row.partitions);
  return bytes;
}

std::optional<TopicRow> decode_topic(BytesView bytes) {
  if (bytes.size() != 4) return std::nullopt;
  return TopicRow{read_u16(bytes), read_u16(bytes.substr(2))};
}

}  // namespace granary::journal
