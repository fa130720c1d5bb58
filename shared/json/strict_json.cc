#include "shared/json/strict_json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <exception>
#include <set>

#include "shared/base/encoding.h"
#include "shared/json/utf8.h"

namespace granary::json {
namespace {

namespace bj = boost::json;

// Beyond so many members a search by eye is slower than a tree (never a hash: the names are a stranger's choice).
constexpr std::size_t kMembersSearchedByEye = 16;

// A container that is still open, and where in it the parser stands.
struct Frame {
  bool is_object = false;
  std::vector<Value> items;
  std::vector<Member> members;
  std::set<std::string, std::less<>> names;  // filled once there are many members
  std::string name;                          // of the member whose value comes next
  bool has_name = false;
};

// Builds the values while Boost.JSON reports what it reads. Each function answers whether to go on.
class Builder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  [[nodiscard]] bool has_duplicate() const { return has_duplicate_; }
  Value take() { return std::move(root_); }

  // Where the parser stands now.
  [[nodiscard]] std::string pointer() const {
    std::string out;
    for (const Frame& frame : frames_) {
      if (!frame.is_object) {
        append_pointer_token(out, std::to_string(frame.items.size()));
      } else if (frame.has_name) {
        append_pointer_token(out, frame.name);
      }
    }
    return out;
  }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_array_begin(bj::error_code&) {
    frames_.emplace_back();
    return true;
  }
  bool on_array_end(std::size_t, bj::error_code&) {
    Value array(std::move(frames_.back().items));
    frames_.pop_back();
    return put(std::move(array));
  }
  bool on_object_begin(bj::error_code&) {
    frames_.emplace_back().is_object = true;
    return true;
  }
  bool on_object_end(std::size_t, bj::error_code&) {
    Value object(std::move(frames_.back().members));
    frames_.pop_back();
    return put(std::move(object));
  }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(bj::string_view part, std::size_t, bj::error_code& error) {
    text_.append(part.data(), part.size());
    Frame& frame = frames_.back();
    frame.name = std::exchange(text_, {});
    frame.has_name = true;
    if (!is_repeated(frame)) return true;
    has_duplicate_ = true;
    error = make_error_code(bj::error::syntax);
    return false;
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(bj::string_view part, std::size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return put(Value(std::exchange(text_, {})));
  }
  bool on_number_part(bj::string_view part, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t, bj::string_view part, bj::error_code&) { return put_number(part); }
  bool on_uint64(std::uint64_t, bj::string_view part, bj::error_code&) { return put_number(part); }
  bool on_double(double, bj::string_view part, bj::error_code&) { return put_number(part); }
  bool on_bool(bool value, bj::error_code&) { return put(Value(Value::Data(value))); }
  bool on_null(bj::error_code&) { return put(Value()); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

 private:
  bool put_number(bj::string_view part) {
    text_.append(part.data(), part.size());
    return put(Value(Value::Data(Value::Number{std::exchange(text_, {})})));
  }

  bool put(Value value) {
    if (frames_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Frame& frame = frames_.back();
    if (frame.is_object) {
      frame.members.push_back({std::exchange(frame.name, {}), std::move(value)});
      frame.has_name = false;
    } else {
      frame.items.push_back(std::move(value));
    }
    return true;
  }

  static bool is_repeated(Frame& frame) {
    if (frame.members.size() < kMembersSearchedByEye) {
      return std::any_of(frame.members.begin(), frame.members.end(),
                         [&](const Member& member) { return member.name == frame.name; });
    }
    if (frame.names.empty()) {
      for (const Member& member : frame.members) frame.names.insert(member.name);
    }
    return !frame.names.insert(frame.name).second;
  }

  std::vector<Frame> frames_;
  std::string text_;  // the parts of a string, name or number so far
  Value root_;
  bool has_duplicate_ = false;
};

Error error_at(const std::string& problem, const std::string& pointer, std::size_t offset, const std::string& hint) {
  return {ErrorCode::invalid_input,
          problem + " at '" + pointer + "', byte " + std::to_string(offset) + "; hint: " + hint};
}

Error parse_error(const Builder& builder, bj::error_code code, std::size_t offset, const Limits& limits) {
  if (builder.has_duplicate()) {
    return error_at("expected each name once in a JSON object, got one again", builder.pointer(), offset,
                    "keep one of the two");
  }
  if (code == bj::error::too_deep) {
    return error_at("expected JSON nested at most " + std::to_string(limits.depth) + " deep, got deeper",
                    builder.pointer(), offset, "flatten the document");
  }
  return error_at("expected JSON as in RFC 8259, got: " + code.message(), builder.pointer(), offset,
                  "no comments, trailing commas, NaN or single quotes, and UTF-8 only");
}

}  // namespace

const char* kind_name(Kind kind) {
  static constexpr const char* kNames[] = {"null", "boolean", "number", "string", "array", "object"};
  return kNames[static_cast<std::size_t>(kind)];
}

const Value* Value::find(std::string_view name) const {
  if (!is(Kind::object)) return nullptr;
  for (const Member& member : members()) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

std::optional<std::int64_t> Value::integer() const {
  if (!is(Kind::number)) return std::nullopt;
  const std::string& text = number_text();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void append_pointer_token(std::string& pointer, std::string_view name) {
  pointer += '/';
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

Result<Value> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return Error{ErrorCode::invalid_input, "expected JSON of at most " + std::to_string(limits.bytes) + " bytes, got " +
                                               std::to_string(text.size()) + "; hint: send it in smaller parts"};
  }
  if (const char* encoding = wide_encoding(text))
    return error_at(std::string("expected JSON in UTF-8, got ") + encoding, "", 0, conversion_hint(encoding));
  const std::size_t begin = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  text.remove_prefix(begin);
  bj::parse_options options;
  options.max_depth = limits.depth;
  bj::basic_parser<Builder> parser(options);
  bj::error_code code;
  std::size_t used = 0;
  try {
    used = parser.write_some(false, text.data(), text.size(), code);
  } catch (const std::exception& exception) {
    return Error{ErrorCode::unavailable, std::string("expected to parse JSON, got: ") + exception.what() +
                                             "; hint: try again, or send it in smaller parts"};
  }
  if (!code && used < text.size()) code = bj::error::extra_data;
  if (code) return parse_error(parser.handler(), code, begin + used, limits);
  return parser.handler().take();
}

}  // namespace granary::json
