// Any struct that lists its fields (events/field.h) as one JSON object, in the form that events have outside: times RFC
// 3339, quantities, amounts and money decimal strings, ids lower-case hex, enums their names. Defaults of optional
// fields are left out. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/events/wire.h"
#include "shared/json/writer.h"

namespace granary::events {

struct JsonFields {
  std::string& out;
  bool first = true;

  template <class T>
  void operator()(int, std::string_view name, const T& value, Presence presence) {
    if constexpr (wire::IsOptional<T>::value) {
      if (value) member(name, *value);
    } else if constexpr (wire::IsVector<T>::value) {
      if (!value.empty() || presence == Presence::required) member(name, value);
    } else if (presence == Presence::required || !wire::Writer::is_default(value)) {
      member(name, value);
    }
  }

  template <class T>
  void member(std::string_view name, const T& value) {
    if (!first) out.push_back(',');
    first = false;
    out.push_back('"');
    out.append(name);
    out.append("\":");
    write(value);
  }

  // `append` adds text that needs no escapes.
  template <class Append>
  void quoted(Append append) {
    out.push_back('"');
    append();
    out.push_back('"');
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
    else if constexpr (std::is_same_v<T, Instant>)
      quoted([&] { units::append_time(out, value); });
    else if constexpr (std::is_same_v<T, Id16>)
      quoted([&] { append_hex(out, view_of(value)); });
    else if constexpr (std::is_same_v<T, Quantity>)
      quoted([&] { units::append_decimal(out, value.value(), 3); });
    else if constexpr (std::is_same_v<T, Price>)
      quoted([&] { units::append_decimal(out, value.value(), 9); });
    else if constexpr (std::is_same_v<T, units::Money>)
      quoted([&] { units::append_fixed(out, value.value(), 9); });
    else if constexpr (std::is_same_v<T, Amount>)
      quoted([&] { units::append_integer(out, value.value()); });
    else if constexpr (std::is_enum_v<T>)
      quoted([&] { out.append(enum_name(value)); });
    else if constexpr (std::is_integral_v<T>)
      units::append_integer(out, value);
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
  JsonFields{out}.write_object(value);
}

}  // namespace granary::events
