// What a door promises of each field by itself (object_reader.h: sizes, signs, ranges, what must be there), looked at
// again in a struct that came in bytes: a fold refuses by name what no door would have let through. Costs no allocation
// unless something is wrong. Any thread.
#pragma once

#include <limits>
#include <optional>
#include <string>

#include "shared/codec/wire.h"

namespace granary::codec {

inline constexpr std::size_t kTextBytesMax = 256;
inline constexpr std::size_t kItemsMax = 256;

class LimitCheck {
 public:
  template <class T>
  void operator()(int, std::string_view name, const T& value, Presence presence) {
    if (reason_ != nullptr) return;
    if constexpr (IsVector<T>::value) {
      if (value.size() > kItemsMax) fail("malformed", "list at most 256");
      if (presence.is_required && value.empty()) fail("malformed", "list at least one");
      for (std::size_t i = 0; i < value.size() && reason_ == nullptr; ++i) {
        look(value[i], true);
        if (reason_ != nullptr) pointer_ = "/" + std::to_string(i) + pointer_;
      }
    } else if constexpr (IsOptional<T>::value) {
      if (value) look(*value, true);
    } else {
      look(value, presence.is_required);
    }
    if (reason_ != nullptr) pointer_ = "/" + std::string(name) + pointer_;
  }

  [[nodiscard]] std::optional<FormError> trouble() const {
    if (reason_ == nullptr) return std::nullopt;
    return FormError{reason_, pointer_, "", hint_};
  }

 private:
  template <class T>
  void look(const T& value, bool is_required) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (value.size() > kTextBytesMax || (is_required && value.empty())) fail("malformed", "send 1 to 256 bytes");
    } else if constexpr (std::is_same_v<T, units::Instant>) {
      if (value < units::kInstantMin || value > units::kInstantMax)
        fail("time_out_of_range", "send a time of the years 1970 to 9999");
    } else if constexpr (std::is_same_v<T, units::Quantity> || std::is_same_v<T, units::Amount>) {
      if (value.value() < 0 || (is_required && value.is_zero())) fail("quantity_not_positive", "send more than 0");
      if (value.value() > units::kAmountMax) fail("quantity_overflow", "send at most 2^96 of the smallest unit");
    } else if constexpr (std::is_same_v<T, units::Price>) {
      if (value.value() < 0) fail("price_negative", "send 0 or more");
      if (value.value() > units::kAmountMax) fail("quantity_overflow", "send at most 2^96 of the smallest unit");
    } else if constexpr (std::is_enum_v<T>) {
      if (is_required && value == T{}) fail("malformed", "send one of the values that the field has");
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        fail("malformed", "send less than 2^63");
    } else if constexpr (requires { T::fields(value, *this); }) {
      T::fields(value, *this);
    }
  }

  void fail(const char* reason, const char* hint) {
    if (reason_ != nullptr) return;
    reason_ = reason;
    hint_ = hint;
  }

  const char* reason_ = nullptr;  // static text
  const char* hint_ = nullptr;
  std::string pointer_;
};

}  // namespace granary::codec
