#include "shared/events/wire.h"

#include "shared/base/check.h"

namespace granary::events {
namespace {

template <std::size_t I = 1>
DecodeResult decode_as(EventType type, BytesView payload, std::vector<Event>& slots, const Event*& event) {
  if constexpr (I == std::variant_size_v<Event>) {
    return DecodeResult::unknown_type;
  } else {
    using T = std::variant_alternative_t<I, Event>;
    if (TypeOf<T>::kType != type) return decode_as<I + 1>(type, payload, slots, event);
    Event& slot = slots[I];
    if (slot.index() != I) slot.emplace<I>();
    if (!wire::decode(payload, std::get<I>(slot))) return DecodeResult::malformed;
    event = &slot;
    return DecodeResult::ok;
  }
}

}  // namespace

DecodeResult EventDecoder::decode(BytesView bytes) {
  if (slots_.empty()) slots_.resize(std::variant_size_v<Event>);
  std::uint64_t key = 0;
  BytesView payload;
  if (!wire::take_varint(bytes, key) || (key & 7) != 2 || key >> 3 == 0 || key >> 3 > 0xffff ||
      !wire::take_bytes(bytes, payload) || !bytes.empty())
    return DecodeResult::malformed;
  return decode_as(static_cast<EventType>(key >> 3), payload, slots_, event_);
}

EventType peek_type(BytesView event_bytes) {
  std::uint64_t key = 0;
  if (!wire::take_varint(event_bytes, key) || (key & 7) != 2 || key >> 3 > 0xffff) return EventType::none;
  return static_cast<EventType>(key >> 3);
}

void encode_event(const Event& event, Bytes& out) {
  std::visit(
      [&out]<class T>(const T& value) {
        if constexpr (std::is_same_v<T, std::monostate>) {
          GRANARY_CHECK(false, "an empty event was to be written");
        } else {
          wire::encode_event(value, out);
        }
      },
      event);
}

}  // namespace granary::events
