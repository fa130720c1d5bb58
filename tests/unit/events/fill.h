// Fills every field of an event or record with a value that is not its default and differs from its neighbours'. One
// thread.
#pragma once

#include <random>

#include "shared/events/record.h"

namespace granary::events::testing {

class Fill {
 public:
  explicit Fill(std::uint64_t seed) : random_(seed) {}

  template <class T>
  void operator()(int, std::string_view name, T& value, codec::Presence) {
    name_ = name;
    fill(value);
  }

  template <class T>
  void fill(T& value) {
    ++count_;
    if constexpr (codec::IsVector<T>::value) {
      value.resize(1 + random_() % 3);
      for (auto& item : value) fill(item);
    } else if constexpr (codec::IsOptional<T>::value) {
      fill(value.emplace());
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = std::string(name_) + " é " + std::to_string(count_);
      if (random_() % 8 == 0) value.append(100 + random_() % 40, '+');  // lengths around one byte's 127
    } else if constexpr (std::is_same_v<T, Instant>) {
      value = Instant(static_cast<std::int64_t>(1 + (random_() >> (1 + random_() % 62))));
    } else if constexpr (std::is_same_v<T, Id16>) {
      for (auto& byte : value) byte = static_cast<std::uint8_t>(random_());
    } else if constexpr (codec::IsExact<T>::value) {
      units::Int128 number = static_cast<units::Int128>(random_()) << 32 | static_cast<std::uint32_t>(random_());
      number = (number >> (random_() % 96)) + count_;
      value = T(random_() % 2 == 0 ? number : -number);
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(1 + random_() % codec::EnumNames<T>::kNames.size());
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(1 + (random_() >> (random_() % 63)));
      if (value == T{}) value = 1;
    } else {
      T::fields(value, *this);
    }
  }

 private:
  std::mt19937_64 random_;
  std::string_view name_;
  int count_ = 0;
};

template <class T>
T filled(std::uint64_t seed) {
  T value{};
  Fill fill(seed);
  fill.fill(value);
  return value;
}

// Calls `use.template operator()<T>()` for each event of the vocabulary that has a rule.
template <class Use, std::size_t I = 1>
void for_each_event(Use&& use) {
  if constexpr (I < std::variant_size_v<Event>) {
    use.template operator()<std::variant_alternative_t<I, Event>>();
    for_each_event<Use, I + 1>(std::forward<Use>(use));
  }
}

}  // namespace granary::events::testing
