// How a struct (an event, a row, an answer) names its fields, once, for every codec: a static function `fields(self,
// visit)` that calls `visit(tag, name, member, presence)` for each in the order of the tags. The tags and names are
// those of schemas/granary/events/v1; tests/unit/events compares both encodings with protoc's.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace granary::codec {

// Why JSON that came from outside is refused, in the form of a problem: `reason` is the name of the broken rule.
struct FormError {
  std::string reason;  // malformed, unknown_field, ...
  std::string field;   // JSON pointer
  std::string value;   // as it came, cut to 100 bytes; may be empty
  std::string hint;    // what to do
};

// Whether a door asks for the field. The log knows only values: an absent one is the default.
enum class Presence { required, optional };
inline constexpr Presence kRequired = Presence::required;
inline constexpr Presence kOptional = Presence::optional;

// An enum specialises this with its names on the outside; the first value is 1, 0 is absent.
template <class E>
struct EnumNames;

template <class E>
std::string_view enum_name(E value) {
  const auto index = static_cast<std::size_t>(value);
  return index >= 1 && index <= EnumNames<E>::kNames.size() ? EnumNames<E>::kNames[index - 1] : std::string_view("");
}

template <class E>
bool enum_from_name(std::string_view name, E& value) {
  for (std::size_t i = 0; i < EnumNames<E>::kNames.size(); ++i)
    if (EnumNames<E>::kNames[i] == name) return value = static_cast<E>(i + 1), true;
  return false;
}

}  // namespace granary::codec

#define GRANARY_ENUM_NAMES(Enum, ...)                                              \
  template <>                                                                      \
  struct granary::codec::EnumNames<Enum> {                                         \
    static constexpr auto kNames = std::to_array<std::string_view>({__VA_ARGS__}); \
  }
