#include "shared/events/event_codec.h"

#include "shared/base/check.h"

namespace granary::events {
void EventDecoder::clear() {
  for (const Event* event : events_) slots_[event->index()].used = 0;
  events_.clear();
}

template <std::size_t I>
DecodeResult EventDecoder::add_as(EventType type, BytesView payload) {
  if constexpr (I == std::variant_size_v<Event>) {
    return DecodeResult::unknown_type;
  } else {
    using T = std::variant_alternative_t<I, Event>;
    if (kType<T> != type) return add_as<I + 1>(type, payload);
    Slots& slots = slots_[I];
    if (slots.used == slots.values.size()) slots.values.emplace_back(std::in_place_type<T>);
    Event& slot = slots.values[slots.used];
    form_ = kRow<T>.since;
    const codec::Read read = codec::read_message(payload, std::get<T>(slot), form_);
    if (read != codec::Read::ok) return read == codec::Read::newer ? DecodeResult::newer : DecodeResult::malformed;
    ++slots.used;
    events_.push_back(&slot);
    return DecodeResult::ok;
  }
}

DecodeResult EventDecoder::add(BytesView bytes) {
  std::uint64_t key = 0;
  BytesView payload;
  if (!codec::take_varint(bytes, key) || (key & 7) != 2 || key >> 3 == 0 || key >> 3 > 0xffff ||
      !codec::take_bytes(bytes, payload) || !bytes.empty())
    return DecodeResult::malformed;
  return add_as(static_cast<EventType>(key >> 3), payload);
}

EventType peek_type(BytesView event_bytes) {
  std::uint64_t key = 0;
  if (!codec::take_varint(event_bytes, key) || (key & 7) != 2 || key >> 3 > 0xffff) return EventType::none;
  return static_cast<EventType>(key >> 3);
}

void encode_event(const Event& event, Bytes& out) {
  std::visit(
      [&out]<class T>(const T& value) {
        if constexpr (std::is_same_v<T, std::monostate>) {
          GRANARY_CHECK(false, "an empty event was to be written");
        } else {
          events::encode_event(value, out);
        }
      },
      event);
}

std::uint16_t form_of(const Event& event) {
  return std::visit(
      []<class T>(const T& value) -> std::uint16_t {
        if constexpr (std::is_same_v<T, std::monostate>)
          return 1;
        else
          return std::max(kRow<T>.since, codec::form_of(value));
      },
      event);
}

}  // namespace granary::events
