// Writing JSON, for those who know their own shape: a Writer puts the commas, the colons and the escapes; the caller
// says what stands where. Appends to a std::string or to a Sink, which outlives the Writer. A Writer is one thread's;
// the functions are any thread's.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include "shared/base/sink.h"

namespace granary::json {

class Value;

// Appends `text` as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD, so that the outcome is valid
// whatever came in.
void append_json_string(std::string& out, std::string_view text);
void append_json_string(Sink& out, std::string_view text);

// Appends a value as JSON: members in their order, numbers as they were written, no spaces.
void append_json(std::string& out, const Value& value);

// One JSON text, piece by piece, without spaces:
//
//   Writer(out).begin_object().member("line", 7).name("rows").begin_array().value("a").end_array().end_object();
//
// The caller keeps begin and end in pairs, and names each member of an object before its value.
template <class Out>
class Writer {
 public:
  explicit Writer(Out& out) : out_(out) {}

  Writer& begin_object() { return begin('{'); }
  Writer& end_object() { return end('}'); }
  Writer& begin_array() { return begin('['); }
  Writer& end_array() { return end(']'); }

  // Of the member whose value comes next.
  Writer& name(std::string_view name) {
    value(name);
    out_.push_back(':');
    needs_comma_ = false;
    return *this;
  }

  Writer& value(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
  }
  // Without these two a text in quotes would be a bool, and so would a pointer.
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(const std::string& text) { return value(std::string_view(text)); }
  Writer& value(std::same_as<bool> auto truth) { return json(truth ? "true" : "false"); }
  Writer& value(std::integral auto number) requires(!std::same_as<decltype(number), bool>) {
    constexpr std::size_t kDigitsMax = 24;  // of 64 bits, with a minus
    char digits[kDigitsMax];
    return json({digits, std::to_chars(digits, digits + kDigitsMax, number).ptr});
  }
  Writer& null() { return json("null"); }
  // A whole value that is JSON already.
  Writer& json(std::string_view text) {
    separate();
    out_.append(text);
    return *this;
  }

  // The members of `object`, which is JSON already and was written without spaces, into the object that is open.
  Writer& members_of(std::string_view object) {
    return object.size() > 2 ? json(object.substr(1, object.size() - 2)) : *this;
  }

  template <class T>
  Writer& member(std::string_view name, const T& value) {
    return this->name(name).value(value);
  }

 private:
  Writer& begin(char bracket) {
    separate();
    out_.push_back(bracket);
    needs_comma_ = false;
    return *this;
  }
  Writer& end(char bracket) {
    out_.push_back(bracket);
    needs_comma_ = true;
    return *this;
  }
  void separate() {
    if (needs_comma_) out_.push_back(',');
    needs_comma_ = true;
  }

  Out& out_;
  bool needs_comma_ = false;
};

}  // namespace granary::json
