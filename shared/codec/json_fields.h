// Any struct that lists its fields (field.h) as one JSON object, in the form that events have outside: times RFC
// 3339, quantities, amounts and money decimal strings, ids lower-case hex, enums their names. Defaults of optional
// fields are left out. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/base/sink.h"
#include "shared/codec/wire.h"
#include "shared/json/writer.h"

namespace granary::codec {

struct JsonFields {
  Sink& out;
  bool first = true;

  template <class T>
  void operator()(int, std::string_view name, const T& value, Presence presence) {
    if constexpr (IsOptional<T>::value) {
      if (value) member(name, *value);
    } else if constexpr (IsVector<T>::value) {
      if (!value.empty() || presence.is_required) member(name, value);
    } else if (presence.is_required || !Writer::is_default(value)) {
      member(name, value);
    }
  }

  template <class T>
  void member(std::string_view name, const T& value) {
    char* at = out.room(name.size() + 4);
    if (!first) *at++ = ',';
    first = false;
    *at++ = '"';
    at += name.copy(at, name.size());
    *at++ = '"';
    *at++ = ':';
    out.grow_to(at);
    write(value);
  }

  // `write_to` writes a text of at most so many bytes, which needs no escapes, and returns its end.
  template <class WriteTo>
  void quoted(std::size_t bytes_max, WriteTo write_to) {
    char* at = out.room(bytes_max + 2);
    *at++ = '"';
    at = write_to(at);
    *at++ = '"';
    out.grow_to(at);
  }

  template <class T>
  void write(const std::vector<T>& list) {
    out.push_back('[');
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out.push_back(',');
      write(list[i]);
    }
    out.push_back(']');
  }

  template <class T>
  void write(const T& value) {
    if constexpr (std::is_same_v<T, std::string>)
      json::append_json_string(out, value);
    else if constexpr (std::is_same_v<T, units::Instant>)
      quoted(units::kTimeTextMax, [&](char* at) { return units::write_time(at, value); });
    else if constexpr (std::is_same_v<T, Id16>)
      quoted(2 * value.size(), [&](char* at) { return write_hex(at, view_of(value)); });
    else if constexpr (std::is_same_v<T, units::Quantity>)
      quoted(units::kNumberTextMax, [&](char* at) { return units::write_decimal(at, value.value(), 3); });
    else if constexpr (std::is_same_v<T, units::Price>)
      quoted(units::kNumberTextMax, [&](char* at) { return units::write_decimal(at, value.value(), 9); });
    else if constexpr (std::is_same_v<T, units::Money>)
      quoted(units::kNumberTextMax, [&](char* at) { return units::write_fixed(at, value.value(), 9); });
    else if constexpr (std::is_same_v<T, units::Amount>)
      quoted(units::kNumberTextMax, [&](char* at) { return units::write_integer(at, value.value()); });
    else if constexpr (std::is_enum_v<T>)
      quoted(enum_name(value).size(), [name = enum_name(value)](char* at) { return at + name.copy(at, name.size()); });
    else if constexpr (std::is_integral_v<T>)
      out.grow_to(units::write_integer(out.room(units::kNumberTextMax), value));
    else
      write_object(value);
  }

  template <class T>
  void write_object(const T& value) {
    out.push_back('{');
    JsonFields nested{out};
    T::fields(value, nested);
    out.push_back('}');
  }
};

// Appends the object.
template <class T>
void write_json_object(const T& value, std::string& out) {
  Sink text;
  JsonFields{text}.write_object(value);
  out.append(text.view());
}

}  // namespace granary::codec
