#include "shared/events/record.h"

namespace granary::events {

std::optional<RecordKind> kind_of(BytesView record) {
  if (record.empty()) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(record.front());
  const std::uint8_t kind = first >> 4;
  if ((first & 15) != kRecordVersion || kind < 1 || kind > 4) return std::nullopt;
  return static_cast<RecordKind>(kind);
}

}  // namespace granary::events
