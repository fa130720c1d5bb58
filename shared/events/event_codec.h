// Events as bytes: the message `Event`, whose one field's number is the event's type, so that the bytes name what they
// are. The encoding: shared/codec/wire.h.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "shared/codec/wire.h"
#include "shared/events/catalogue.h"

namespace granary::events {

// An event as the message `Event`: its type's number as the one field, so that the bytes name what they are.
template <class T>
void encode_event(const T& value, Bytes& out) {
  Sink message;
  codec::Writer writer{message};
  T::fields(value, writer);
  char front[2 * codec::kVarintBytesMax];
  out.append(front,
             codec::write_varint(codec::Writer::write_key(front, static_cast<int>(kType<T>), codec::WireKind::bytes),
                                 message.size()));
  out.append(message.view());
}

// What became of bytes that should be an event.
enum class DecodeResult {
  ok,
  malformed,     // no event at all
  unknown_type,  // an event of a type that this build has no rule for
  newer,         // an event with a field or an enum value that this build does not know
};

// Keeps the values of events by type, so that decoding allocates nothing once it is warm. One thread.
class EventDecoder {
 public:
  // On ok, event() holds it until the next decode() or clear().
  DecodeResult decode(BytesView bytes) {
    clear();
    return add(bytes);
  }
  [[nodiscard]] const Event& event() const { return *events_.back(); }

  // Several: on ok, it is the last of events() until clear().
  void clear();
  DecodeResult add(BytesView bytes);
  [[nodiscard]] const std::vector<const Event*>& events() const { return events_; }
  // The rules version that the last event's form needs: the newest that brought its type, or one of its fields and
  // values.
  [[nodiscard]] std::uint16_t form() const { return form_; }

 private:
  struct Slots {
    std::deque<Event> values;  // of one type
    std::size_t used = 0;
  };
  template <std::size_t I = 1>
  DecodeResult add_as(EventType type, BytesView payload);

  std::array<Slots, std::variant_size_v<Event>> slots_;
  std::vector<const Event*> events_;
  std::uint16_t form_ = 1;
};

// The type that the bytes claim; none: malformed.
EventType peek_type(BytesView event_bytes);

// Event bytes of any event but monostate.
void encode_event(const Event& event, Bytes& out);

// The rules version that has to be in force before a door writes the event.
std::uint16_t form_of(const Event& event);

}  // namespace granary::events
