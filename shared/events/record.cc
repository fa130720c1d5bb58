#include "shared/events/record.h"

#include <fmt/format.h>

#include "shared/codec/limits.h"

namespace granary::events {
namespace {

// Of all fields but two: the substance is looked at as an event, and the root may be empty.
struct EnvelopeLimits {
  codec::LimitCheck limits;
  template <class T>
  void operator()(int number, std::string_view name, const T& value, codec::Presence presence) {
    if constexpr (!std::is_same_v<T, Root>)
      if (name != "substance") limits(number, name, value, presence);
  }
};

}  // namespace

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

std::optional<codec::FormError> check_envelope(const Raw& raw, const Root* root) {
  EnvelopeLimits check;
  Raw::fields(raw, check);
  if (auto trouble = check.limits.trouble()) {
    trouble->hint = fmt::format("{} of the record: {}", trouble->field, trouble->hint);
    return trouble;
  }
  if (raw.collector.size() > kCollectorBytesMax)
    return codec::FormError{"malformed", "/collector", "", "/collector of the record: send at most 64 bytes"};
  const bool is_own_root = root == nullptr;
  if (is_own_root ? !(raw.root == Root{}) : !(raw.root == *root))
    return codec::FormError{"malformed", "/root", "", "the record names another root than its event does"};
  return std::nullopt;
}

std::optional<Checkpoint> read_checkpoint(BytesView record) {
  Checkpoint checkpoint;
  if (kind_of(record) != RecordKind::checkpoint || !codec::decode(body_of(record), checkpoint)) return std::nullopt;
  return checkpoint;
}

}  // namespace granary::events
