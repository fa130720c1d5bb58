#include "shared/events/json.h"
#include "shared/events/wire.h"
#include "shared/json/writer.h"

namespace granary::events {
namespace {

struct JsonWriter {
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

  void quoted(std::string_view plain) {
    out.push_back('"');
    out.append(plain);
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
      quoted(units::format_time(value));
    else if constexpr (std::is_same_v<T, Id16>)
      quoted(to_hex(view_of(value)));
    else if constexpr (std::is_same_v<T, Quantity>)
      quoted(units::format_decimal(value.value(), 3));
    else if constexpr (std::is_same_v<T, Price>)
      quoted(units::format_decimal(value.value(), 9));
    else if constexpr (std::is_same_v<T, units::Money>)
      quoted(units::format_fixed(value.value(), 9));
    else if constexpr (std::is_same_v<T, Amount>)
      quoted(units::format_integer(value.value()));
    else if constexpr (std::is_enum_v<T>)
      quoted(enum_name(value));
    else if constexpr (std::is_integral_v<T>)
      out.append(std::to_string(value));
    else
      write_object(value);
  }

  template <class T>
  void write_object(const T& value) {
    out.push_back('{');
    JsonWriter nested{out};
    T::fields(value, nested);
    out.push_back('}');
  }
};

}  // namespace

void write_json(const Event& event, std::string& out) {
  std::visit(
      [&out]<class T>(const T& value) {
        if constexpr (!std::is_same_v<T, std::monostate>)
          JsonWriter{out}.write_object(value);
        else
          out.append("{}");
      },
      event);
}

}  // namespace granary::events
