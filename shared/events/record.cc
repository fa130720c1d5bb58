#include "shared/events/record.h"

namespace granary::events {

std::uint8_t check_byte(const Id16& ledger) {
  std::uint8_t check = 0;
  for (const std::uint8_t byte : ledger) check ^= byte;
  return check;
}

Bytes front_of(const Id16& ledger, RecordKind kind) {
  Bytes front(kRecordMark);
  append_u8(front, check_byte(ledger));
  append_u8(front, static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) << 4 | kRecordVersion));
  return front;
}

Whose whose_is(BytesView record, const Id16& ledger) {
  if (record.size() < kFrontBytes || !record.starts_with(kRecordMark) ||
      static_cast<std::uint8_t>(record[kRecordMark.size()]) != check_byte(ledger))
    return Whose::foreign;
  return kind_of(record) ? Whose::known : Whose::newer;
}

std::optional<RecordKind> kind_of(BytesView record) {
  if (record.size() < kFrontBytes || !record.starts_with(kRecordMark)) return std::nullopt;
  const auto byte = static_cast<std::uint8_t>(record[kFrontBytes - 1]);
  const std::uint8_t kind = byte >> 4;
  if ((byte & 15) != kRecordVersion || kind < 1 || kind > 5) return std::nullopt;
  return static_cast<RecordKind>(kind);
}

std::optional<Checkpoint> read_checkpoint(BytesView record) {
  Checkpoint checkpoint;
  if (kind_of(record) != RecordKind::checkpoint || !codec::decode(body_of(record), checkpoint)) return std::nullopt;
  return checkpoint;
}

}  // namespace granary::events
