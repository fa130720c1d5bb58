#include "shared/events/json.h"

#include "shared/codec/json_fields.h"
#include "shared/codec/object_reader.h"

namespace granary::events {
namespace {

template <std::size_t I = 1>
Trouble read_as(EventType type, const json::Value& data, const std::string& pointer, Event& event, UsageNotes& notes) {
  if constexpr (I == std::variant_size_v<Event>) {
    return FormError{"unknown_type", "/type", std::string(type_name(type)), "send an event that doors take"};
  } else {
    using T = std::variant_alternative_t<I, Event>;
    constexpr const Row<T>& kOwn = kRow<T>;
    if constexpr (kOwn.enters.has_value()) {
      if (kOwn.type == type) {
        codec::ObjectReader reader(data, pointer);
        T& value = event.emplace<I>();
        notes = {};
        if (data.is(json::Kind::object)) {
          T::fields(value, reader);
          if constexpr (kOwn.enters->has_notes) UsageNotes::fields(notes, reader);
        }
        if (auto trouble = reader.finish()) return trouble;
        if constexpr (requires { check(value, pointer); }) return check(value, pointer);
        return std::nullopt;
      }
    }
    return read_as<I + 1>(type, data, pointer, event, notes);
  }
}

}  // namespace

std::optional<FormError> read_raw_event(EventType type, const json::Value& data, const std::string& pointer,
                                        Event& event, UsageNotes& notes) {
  return read_as(type, data, pointer, event, notes);
}

void write_json(const Event& event, std::string& out) {
  std::visit(
      [&out]<class T>(const T& value) {
        if constexpr (!std::is_same_v<T, std::monostate>)
          codec::write_json_object(value, out);
        else
          out.append("{}");
      },
      event);
}

}  // namespace granary::events
