// How a struct (an event, a row, an answer) names its fields, once, for every codec: a static function `fields(self,
// visit)` that calls `visit(tag, name, member, presence)` for each in the order of the tags. The tags and names are
// those of schemas/granary/events/v1; tests/unit/events compares both encodings with protoc's.
#pragma once

#include <array>
#include <cstdint>
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

// What is said of a field beside its tag and name.
struct Presence {
  bool is_required = false;  // a door asks for it; the log knows only values: an absent one is the default
  std::uint16_t since = 1;   // the rules version that brought it: no door writes it before that is in force
};
inline constexpr Presence kRequired{true};
inline constexpr Presence kOptional{false};
// A field that a rules version brought.
constexpr Presence since_rules(std::uint16_t version) {
  return {false, version};
}

// An enum specialises this with its names on the outside; the first value is 1, 0 is absent. If a rules version brought
// some of them, a second array kSince says for each value which.
template <class E>
struct EnumNames;

// The rules version that brought a value of an enum that has that name.
template <class E>
constexpr std::uint16_t since_of(E value) {
  if constexpr (requires { EnumNames<E>::kSince; })
    return EnumNames<E>::kSince[static_cast<std::size_t>(value) - 1];
  else
    return 1;
}

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
