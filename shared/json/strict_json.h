// Strict JSON for foreign bytes (RFC 8259, narrowed as RFC 7493 asks): duplicate names, bytes that are not UTF-8,
// comments, trailing commas, NaN and deep nesting are refused, and a number keeps its source text, so that nothing is
// rounded before somebody who knows its meaning has looked at it. A byte order mark of UTF-8 is skipped; a text in
// UTF-16 or UTF-32 is refused by that name. Plain values: safe on any thread, owned by whoever holds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "shared/base/result.h"

namespace granary::json {

enum class Kind { null, boolean, number, string, array, object };

// What the kind is called in messages: "null", "boolean", ...
const char* kind_name(Kind kind);

struct Member;

class Value {
 public:
  struct Number {
    std::string text;  // as it stood in the source
  };
  using Data = std::variant<std::monostate, bool, Number, std::string, std::vector<Value>, std::vector<Member>>;

  Value();  // null
  explicit Value(Data data);

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] bool is(Kind kind) const { return this->kind() == kind; }

  // Each of these must be asked of its own kind only.
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] const std::string& number_text() const;
  [[nodiscard]] const std::string& string() const;
  [[nodiscard]] const std::vector<Value>& items() const;
  // In the order of the source; names are unique.
  [[nodiscard]] const std::vector<Member>& members() const;

  // The member of that name; nullptr where there is none or this is no object. Lives as long as this value.
  [[nodiscard]] const Value* find(std::string_view name) const;

  // The number, where it is written as a plain integer (an optional minus and digits: no point, no exponent) that fits;
  // nullopt otherwise, also for other kinds.
  [[nodiscard]] std::optional<std::int64_t> integer() const;

 private:
  Data data_;
};

struct Member {
  std::string name;
  Value value;
};

// Here, where a Member is complete.
inline Value::Value() = default;
inline Value::Value(Data data) : data_(std::move(data)) {}
inline Kind Value::kind() const {
  return static_cast<Kind>(data_.index());
}
inline bool Value::boolean() const {
  return std::get<bool>(data_);
}
inline const std::string& Value::number_text() const {
  return std::get<Number>(data_).text;
}
inline const std::string& Value::string() const {
  return std::get<std::string>(data_);
}
inline const std::vector<Value>& Value::items() const {
  return std::get<std::vector<Value>>(data_);
}
inline const std::vector<Member>& Value::members() const {
  return std::get<std::vector<Member>>(data_);
}

struct Limits {
  std::size_t bytes = 1U << 20;  // of the whole text
  std::size_t depth = 16;        // of arrays and objects inside each other
};

// The one value that `text` holds. Errors: invalid_input, with the JSON pointer (RFC 6901) and the byte offset (from 0)
// of the place; for a duplicate name the pointer is that name's.
Result<Value> parse(std::string_view text, const Limits& limits = {});

// Appends a reference token to a JSON pointer: "/" and the name with ~ and / escaped (RFC 6901 section 3).
void append_pointer_token(std::string& pointer, std::string_view name);

}  // namespace granary::json
