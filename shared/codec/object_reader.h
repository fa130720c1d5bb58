// Reads JSON objects strictly into structs that list their fields (field.h): names, kinds, sizes, forms of numbers and
// times; what is unknown is refused by name. What a struct's fields mean together is not looked at. Any thread.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/codec/limits.h"
#include "shared/codec/wire.h"
#include "shared/json/strict_json.h"

namespace granary::codec {

// Reads one JSON object into the fields of a struct; stops at the first trouble.
class ObjectReader {
 public:
  ObjectReader(const json::Value& object, std::string pointer) : object_(object), pointer_(std::move(pointer)) {
    if (!object_.is(json::Kind::object)) fail("malformed", pointer_, object_, "send a JSON object here");
  }

  template <class T>
  void operator()(int, std::string_view name, T& value, Presence presence) {
    known_.push_back(name);
    if (error_) return;
    const json::Value* found = object_.find(name);
    if (found == nullptr) {
      if (presence.is_required) fail("malformed", at(name), json::Value(), "add the field: it is required");
      return;
    }
    if constexpr (IsVector<T>::value) {
      read_list(*found, at(name), value);
      if (!error_ && presence.is_required && value.empty()) fail("malformed", at(name), *found, "list at least one");
    } else {
      read(*found, at(name), value);
    }
  }

  // To be called after the fields: names that nobody asked for.
  std::optional<FormError> finish();

 private:
  [[nodiscard]] std::string at(std::string_view name) const;
  void fail(std::string reason, std::string field, const json::Value& value, std::string hint);

  template <class T>
  void read_list(const json::Value& value, const std::string& pointer, std::vector<T>& list) {
    if (!value.is(json::Kind::array)) return fail("malformed", pointer, value, "send a JSON array here");
    if (value.items().size() > kItemsMax) return fail("malformed", pointer, value, "list at most 256");
    for (std::size_t i = 0; i < value.items().size() && !error_; ++i)
      read(value.items()[i], pointer + "/" + std::to_string(i), list.emplace_back());
  }

  template <class T>
  void read(const json::Value& value, const std::string& pointer, std::optional<T>& out) {
    read(value, pointer, out.emplace());
  }

  void read(const json::Value& value, const std::string& pointer, std::string& out);

  void read(const json::Value& value, const std::string& pointer, units::Instant& out);

  void read(const json::Value& value, const std::string& pointer, std::uint64_t& out);

  void read_decimal(const json::Value& value, const std::string& pointer, int decimals, units::Int128& out);
  void read_positive(const json::Value& value, const std::string& pointer, int decimals, units::Int128& out);

  void read(const json::Value& value, const std::string& pointer, units::Quantity& out);
  void read(const json::Value& value, const std::string& pointer, units::Amount& out);
  void read(const json::Value& value, const std::string& pointer, units::Price& out);

  template <class T>
  void read(const json::Value& value, const std::string& pointer, T& out) {
    if constexpr (std::is_enum_v<T>) {
      if (value.is(json::Kind::string) && enum_from_name(value.string(), out)) return;
      std::string names;
      for (const auto name : EnumNames<T>::kNames) names += (names.empty() ? "" : ", ") + std::string(name);
      fail("malformed", pointer, value, "send one of: " + names);
    } else {
      ObjectReader nested(value, pointer);
      if (!nested.error_) T::fields(out, nested);
      if (auto trouble = nested.finish()) error_ = std::move(trouble);
    }
  }

  const json::Value& object_;
  std::string pointer_;
  std::vector<std::string_view> known_;
  std::optional<FormError> error_;
};

}  // namespace granary::codec
