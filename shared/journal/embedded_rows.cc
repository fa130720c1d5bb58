#include "shared/journal/embedded_rows.h"

namespace granary::journal {
namespace {

constexpr char kPlain = 0;
constexpr char kWithKeyAndHeaders = 1;

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

void encode_record_start(const Record& record, Bytes& out) {
  if (record.key.empty() && record.headers.empty()) {
    out.push_back(kPlain);
    return;
  }
  out.push_back(kWithKeyAndHeaders);
  append_part(out, record.key);
  append_u32(out, static_cast<std::uint32_t>(record.headers.size()));
  for (const auto& [name, value] : record.headers) {
    append_part(out, name);
    append_part(out, value);
  }
}

bool decode_record(BytesView bytes, Record& record) {
  record.key.clear();
  record.headers.clear();
  if (bytes.empty()) return false;
  const char flag = bytes.front();
  bytes.remove_prefix(1);
  if (flag == kWithKeyAndHeaders) {
    const auto key = take_part(bytes);
    if (!key || bytes.size() < 4) return false;
    record.key.assign(*key);
    const std::uint32_t headers = read_u32(bytes);
    bytes.remove_prefix(4);
    for (std::uint32_t i = 0; i < headers; ++i) {
      const auto name = take_part(bytes);
      const auto value = take_part(bytes);
      if (!name || !value) return false;
      record.headers.emplace_back(*name, *value);
    }
  } else if (flag != kPlain) {
    return false;
  }
  record.value.assign(bytes);
  return true;
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
