#include "shared/events/record.h"

namespace granary::events {

std::optional<RecordKind> kind_of(BytesView record) {
  if (record.empty()) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(record.front());
  const std::uint8_t kind = first >> 4;
  if ((first & 15) != kRecordVersion || kind < 1 || kind > 4) return std::nullopt;
  return static_cast<RecordKind>(kind);
}

std::optional<Checkpoint> read_checkpoint(BytesView record) {
  Checkpoint checkpoint;
  const Bytes first(1, static_cast<char>(static_cast<std::uint8_t>(RecordKind::checkpoint) << 4 | kRecordVersion));
  if (!record.starts_with(first) || !codec::decode(body_of(record), checkpoint)) return std::nullopt;
  return checkpoint;
}

}  // namespace granary::events
