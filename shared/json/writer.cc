#include "shared/json/writer.h"

#include <cstring>

#include "shared/json/strict_json.h"
#include "shared/json/utf8.h"

namespace granary::json {
namespace {

template <class Text>
void append_control(Text& out, unsigned char byte) {
  static constexpr char kDigits[] = "0123456789abcdef";
  switch (byte) {
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      out.append("\\u00");
      out.push_back(kDigits[byte >> 4U]);
      out.push_back(kDigits[byte & 0xFU]);
  }
}

// How many bytes from the front stand for themselves: ASCII that needs no escape.
std::size_t plain_length(std::string_view text) {
  std::size_t length = 0;
  // Eight at a time, as long as all of them are; a byte is zero where subtracting 1 borrows.
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  for (std::uint64_t eight = 0; text.size() - length >= sizeof(eight); length += sizeof(eight)) {
    std::memcpy(&eight, text.data() + length, sizeof(eight));
    const std::uint64_t quotes = eight ^ kOnes * '"';
    const std::uint64_t slashes = eight ^ kOnes * '\\';
    const std::uint64_t special = (eight - kOnes * 0x20) | (quotes - kOnes) | (slashes - kOnes) | eight;
    if ((special & kOnes * 0x80) != 0) break;
  }
  while (length < text.size()) {
    const auto byte = static_cast<unsigned char>(text[length]);
    if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') break;
    ++length;
  }
  return length;
}

template <class Text>
void append_string(Text& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t plain = plain_length(text.substr(at));
    out.append(text.substr(at, plain));
    at += plain;
    if (at == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      out.append("\xEF\xBF\xBD");
    } else if (byte < 0x20) {
      append_control(out, byte);
    } else {
      if (byte == '"' || byte == '\\') out.push_back('\\');
      out.append(text.substr(at, length));
    }
    at += length == 0 ? 1 : length;
  }
  out.push_back('"');
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  append_string(out, text);
}

void append_json_string(Sink& out, std::string_view text) {
  append_string(out, text);
}

namespace {

void write(Writer<std::string>& out, const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      out.null();
      break;
    case Kind::boolean:
      out.value(value.boolean());
      break;
    case Kind::number:
      out.json(value.number_text());
      break;
    case Kind::string:
      out.value(value.string());
      break;
    case Kind::array:
      out.begin_array();
      for (const Value& item : value.items()) write(out, item);
      out.end_array();
      break;
    case Kind::object:
      out.begin_object();
      for (const Member& member : value.members()) write(out.name(member.name), member.value);
      out.end_object();
      break;
  }
}

}  // namespace

void append_json(std::string& out, const Value& value) {
  Writer<std::string> writer(out);
  write(writer, value);
}

}  // namespace granary::json
