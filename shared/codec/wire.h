// The one canonical encoding of structs that list their fields (field.h): Protobuf's wire format with fields in the
// order of their tags, defaults left out, varints at their shortest; what is unknown is told as a newer build's.
// Protobuf itself promises no canonical bytes, and these are hashed; so the few lines that write them are here, and
// protoc's generated code reads and writes the same messages in tests and elsewhere.
// https://protobuf.dev/programming-guides/encoding/
//
// Strings: bytes, unchanged (doors see to it that they are UTF-8); Instant, int64: varint; enums, uint64: varint;
// amounts: bytes (units::write_int128); ids: 16 bytes; nested structs: messages, always written; optionals of them and
// of Instant have presence; vectors: repeated, never packed. Any thread; views live as long as the bytes that they look
// at.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/sink.h"
#include "shared/codec/field.h"
#include "shared/units/amount.h"
#include "shared/units/instant.h"

namespace granary::codec {

enum class Read : std::uint8_t;
template <class T>
Read read_message(BytesView in, T& value, std::uint16_t& form);

enum class WireKind : std::uint8_t { varint = 0, bytes = 2 };

inline constexpr std::size_t kVarintBytesMax = 10;

// Writes to `at`, where kVarintBytesMax bytes must be free; the end of what was written.
inline char* write_varint(char* at, std::uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<char>(value);
  return at;
}

inline void put_varint(Bytes& out, std::uint64_t value) {
  char bytes[kVarintBytesMax];
  out.append(bytes, write_varint(bytes, value));
}

// Of more than one byte, or none at all; take_varint() tells which.
bool take_long_varint(BytesView& in, std::uint64_t& value);

// False: cut short, too long, or not at its shortest.
inline bool take_varint(BytesView& in, std::uint64_t& value) {
  if (in.empty() || static_cast<std::uint8_t>(in.front()) >= 0x80) return take_long_varint(in, value);
  value = static_cast<std::uint8_t>(in.front());
  in.remove_prefix(1);
  return true;
}

inline bool take_bytes(BytesView& in, BytesView& value) {
  std::uint64_t size = 0;
  if (!take_varint(in, size) || size > in.size()) return false;
  value = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsExact : std::false_type {};
template <class Tag>
struct IsExact<units::Exact<Tag>> : std::true_type {};

template <class T>
bool decode(BytesView in, T& value);

// Writes the fields of one message.
struct Writer {
  Sink& out;

  template <class T>
  void operator()(int tag, std::string_view, const T& value, Presence) {
    if constexpr (IsVector<T>::value) {
      for (const auto& item : value) write(tag, item);
    } else if constexpr (IsOptional<T>::value) {
      if (value) write(tag, *value);
    } else if (!is_default(value)) {
      write(tag, value);
    }
  }

  template <class T>
  static bool is_default(const T& value) {
    if constexpr (std::is_same_v<T, std::string>)
      return value.empty();
    else if constexpr (std::is_same_v<T, units::Instant>)
      return value.ms() == 0;
    else if constexpr (std::is_same_v<T, Id16>)
      return value == Id16{};
    else if constexpr (IsExact<T>::value)
      return value.is_zero();
    else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>)
      return value == T{};
    else
      return false;  // a nested message is always there
  }

  static char* write_key(char* at, int tag, WireKind kind) {
    return write_varint(at, static_cast<std::uint64_t>(tag) << 3 | static_cast<std::uint8_t>(kind));
  }

  void write_number(int tag, std::uint64_t value) {
    out.grow_to(write_varint(write_key(out.room(2 * kVarintBytesMax), tag, WireKind::varint), value));
  }

  void write_bytes(int tag, BytesView bytes) {
    char* at = write_key(out.room(2 * kVarintBytesMax + bytes.size()), tag, WireKind::bytes);
    at = write_varint(at, bytes.size());
    std::memcpy(at, bytes.data(), bytes.size());
    out.grow_to(at + bytes.size());
  }

  template <class T>
  void write(int tag, const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      write_bytes(tag, value);
    } else if constexpr (std::is_same_v<T, units::Instant>) {
      write_number(tag, static_cast<std::uint64_t>(value.ms()));
    } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
      write_number(tag, static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_same_v<T, Id16>) {
      write_bytes(tag, view_of(value));
    } else if constexpr (IsExact<T>::value) {
      char bytes[units::kInt128BytesMax];
      write_bytes(tag, {bytes, static_cast<std::size_t>(units::write_int128(bytes, value.value()) - bytes)});
    } else {
      out.grow_to(write_key(out.room(kVarintBytesMax), tag, WireKind::bytes));
      const std::size_t start = out.size();
      out.push_back('\0');  // the length, which has one byte nearly always
      T::fields(value, *this);
      close_length(start);
    }
  }

  // Of the message that began at `start` with one byte kept free for its length.
  void close_length(std::size_t start) {
    const std::size_t size = out.size() - start - 1;
    char bytes[kVarintBytesMax];
    const auto length = static_cast<std::size_t>(write_varint(bytes, size) - bytes);
    char* const end = out.room(length - 1) + length - 1;
    char* const message = end - size;
    if (length > 1) std::memmove(message, message - (length - 1), size);
    std::memcpy(message - length, bytes, length);
    out.grow_to(end);
  }
};

// What became of bytes that should be a message.
enum class Read : std::uint8_t {
  ok,
  malformed,
  newer,  // the form of one, with a field or an enum value that this build does not know
};

// No message has a larger tag: our own begin at 1 and rise by one. So a tag fits an int whatever bytes come.
inline constexpr std::uint64_t kTagMax = 1'000'000;

// Reads the fields of one message, each in its place.
struct FieldReader {
  BytesView in;
  int tag = 0;   // of the field at the front of `in`, its key taken; 0: the message has ended
  int last = 0;  // the tag of the last field that this build knows, as far as they were asked for
  WireKind kind{};
  bool bad = false;
  bool newer = false;
  std::uint16_t form = 1;  // the newest rules version that brought one of the fields and values read

  explicit FieldReader(BytesView bytes) : in(bytes) { next(); }

  void next() {
    tag = 0;
    if (in.empty()) return;
    std::uint64_t key = 0;
    if (!take_varint(in, key) || key >> 3 == 0 || key >> 3 > kTagMax) return fail();
    tag = static_cast<int>(key >> 3);
    const auto raw = static_cast<std::uint8_t>(key & 7);
    if (raw != 0 && raw != 2) return fail();
    kind = static_cast<WireKind>(raw);
  }
  void fail() {
    bad = true;
    tag = 0;
    in = {};
  }

  template <class T>
  void operator()(int field, std::string_view, T& value, Presence presence) {
    // Unsigned: 0, the message's end, is behind every field.
    if (static_cast<unsigned>(tag) - 1 < static_cast<unsigned>(field) - 1) [[unlikely]]
      skip_unknown(field);
    last = field;
    if (tag == field && presence.since > form) form = presence.since;
    if constexpr (IsVector<T>::value) {
      std::size_t count = 0;
      while (tag == field) {
        if (count == value.size()) value.emplace_back();
        read(value[count++], true);
      }
      value.resize(count);
    } else if constexpr (IsOptional<T>::value) {
      if (tag != field) return value.reset();
      if (!value) value.emplace();
      read(*value, true);
    } else if (tag == field) {
      read(value, false);
    } else if (is_message<T>()) {
      fail();  // always written, so its absence would be a second form
    } else {
      reset(value);
    }
  }

  template <class T>
  static constexpr bool is_message() {
    return requires(T & value, FieldReader & reader) {
      T::fields(value, reader);
    };
  }

  template <class T>
  static void reset(T& value) {
    if constexpr (std::is_same_v<T, std::string>)
      value.clear();
    else
      value = T{};
  }

  template <class T>
  void read(T& value, bool default_allowed) {
    if constexpr (std::is_same_v<T, units::Instant> || std::is_enum_v<T> || std::is_integral_v<T>) {
      std::uint64_t raw = 0;
      if (kind != WireKind::varint || !take_varint(in, raw) || (raw == 0 && !default_allowed)) return fail();
      if constexpr (std::is_same_v<T, units::Instant>) {
        value = units::Instant(static_cast<std::int64_t>(raw));
      } else if constexpr (std::is_enum_v<T>) {
        if (raw == 0) return fail();
        value = static_cast<T>(raw);
        if (raw > EnumNames<T>::kNames.size())
          newer = true;
        else
          form = std::max(form, since_of(value));
      } else {
        value = static_cast<T>(raw);
      }
    } else {
      BytesView bytes;
      if (kind != WireKind::bytes || !take_bytes(in, bytes)) return fail();
      if constexpr (std::is_same_v<T, std::string>) {
        if (bytes.empty() && !default_allowed) return fail();
        value.assign(bytes);
      } else if constexpr (std::is_same_v<T, Id16>) {
        const auto id = id_from(bytes);
        if (!id || (*id == Id16{} && !default_allowed)) return fail();
        value = *id;
      } else if constexpr (IsExact<T>::value) {
        const auto number = units::int128_from(bytes);
        if (!number || (*number == 0 && !default_allowed)) return fail();
        value = T(*number);
      } else {
        const Read nested = read_message(bytes, value, form);
        if (nested == Read::malformed) return fail();
        newer |= nested == Read::newer;
      }
    }
    next();
  }

  // Passes over what comes before the field `end`: fields of a newer build, in their order behind the last known one,
  // or no fields at all.
  void skip_unknown(int end);

  // After all fields.
  Read finish() {
    if (tag != 0) [[unlikely]]
      skip_unknown(std::numeric_limits<int>::max());
    return bad ? Read::malformed : newer ? Read::newer : Read::ok;
  }
};

// Appends the message.
template <class T>
void encode(const T& value, Bytes& out) {
  Sink message;
  Writer writer{message};
  T::fields(value, writer);
  out.append(message.view());
}

// Whether these are the canonical bytes of a T; if not, `value` is anything. Memory of `value` is reused. `form` is
// raised to the newest rules version that brought a field or value in them.
template <class T>
Read read_message(BytesView in, T& value, std::uint16_t& form) {
  FieldReader reader(in);
  T::fields(value, reader);
  form = std::max(form, reader.form);
  return reader.finish();
}
template <class T>
Read read_message(BytesView in, T& value) {
  std::uint16_t form = 1;
  return read_message(in, value, form);
}
template <class T>
bool decode(BytesView in, T& value) {
  return read_message(in, value) == Read::ok;
}

// Finds the newest rules version that brought a field or value that is set.
struct FormFinder {
  std::uint16_t form = 1;

  template <class T>
  void operator()(int, std::string_view, const T& value, Presence presence) {
    if constexpr (IsVector<T>::value) {
      if (!value.empty()) form = std::max(form, presence.since);
      for (const auto& item : value) find(item);
    } else if constexpr (IsOptional<T>::value) {
      if (!value) return;
      form = std::max(form, presence.since);
      find(*value);
    } else {
      if (presence.since > 1 && !Writer::is_default(value)) form = std::max(form, presence.since);
      find(value);
    }
  }

 private:
  template <class T>
  void find(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      if (value != T{}) form = std::max(form, since_of(value));
    } else if constexpr (requires { T::fields(value, *this); }) {
      T::fields(value, *this);
    }
  }
};

// The rules version that has to be in force before a door writes `value`.
template <class T>
std::uint16_t form_of(const T& value) {
  FormFinder finder;
  T::fields(value, finder);
  return finder.form;
}

}  // namespace granary::codec
