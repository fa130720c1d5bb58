#include "shared/base/bytes.h"

#include <algorithm>

#include "shared/base/check.h"

namespace granary {
namespace {

template <class T>
void append_big_endian(Bytes& out, T value) {
  char raw[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) raw[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  out.append(raw, sizeof(T));
}

template <class T>
T read_big_endian(BytesView bytes) {
  GRANARY_CHECK(bytes.size() >= sizeof(T), "a number was read past the end of its bytes");
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | static_cast<std::uint8_t>(bytes[i]));
  return value;
}

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint64_t kSignBit = 1ULL << 63;

}  // namespace

Id16 id_of(const Hash32& hash) {
  Id16 id;
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

std::optional<Id16> id_from(BytesView bytes) {
  Id16 id;
  if (bytes.size() != id.size()) return std::nullopt;
  std::memcpy(id.data(), bytes.data(), id.size());
  return id;
}

std::optional<Hash32> hash_from(BytesView bytes) {
  Hash32 hash;
  if (bytes.size() != hash.size()) return std::nullopt;
  std::memcpy(hash.data(), bytes.data(), hash.size());
  return hash;
}

void append_u8(Bytes& out, std::uint8_t value) {
  out.push_back(static_cast<char>(value));
}
void append_u16(Bytes& out, std::uint16_t value) {
  append_big_endian(out, value);
}
void append_u32(Bytes& out, std::uint32_t value) {
  append_big_endian(out, value);
}
void append_u64(Bytes& out, std::uint64_t value) {
  append_big_endian(out, value);
}
void append_i64(Bytes& out, std::int64_t value) {
  append_u64(out, static_cast<std::uint64_t>(value) ^ kSignBit);
}
std::uint16_t read_u16(BytesView bytes) {
  return read_big_endian<std::uint16_t>(bytes);
}
std::uint32_t read_u32(BytesView bytes) {
  return read_big_endian<std::uint32_t>(bytes);
}
std::uint64_t read_u64(BytesView bytes) {
  return read_big_endian<std::uint64_t>(bytes);
}
std::int64_t read_i64(BytesView bytes) {
  return static_cast<std::int64_t>(read_u64(bytes) ^ kSignBit);
}

void append_part(Bytes& out, BytesView part) {
  append_u32(out, static_cast<std::uint32_t>(part.size()));
  out.append(part);
}

std::optional<BytesView> take_part(BytesView& bytes) {
  if (bytes.size() < 4) return std::nullopt;
  const std::uint32_t size = read_u32(bytes);
  if (bytes.size() - 4 < size) return std::nullopt;
  const BytesView part = bytes.substr(4, size);
  bytes.remove_prefix(4 + size);
  return part;
}

char* write_hex(char* at, BytesView bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    *at++ = kHex[byte >> 4];
    *at++ = kHex[byte & 15];
  }
  return at;
}

std::string to_hex(BytesView bytes) {
  std::string out(bytes.size() * 2, '\0');
  write_hex(out.data(), bytes);
  return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = kHex.find(text[i]);
    const auto low = kHex.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return out;
}

std::string to_base64url(BytesView bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      out.push_back(kBase64Url[bits >> held & 63]);
    }
  }
  if (held > 0) out.push_back(kBase64Url[bits << (6 - held) & 63]);
  return out;
}

std::optional<Bytes> from_base64url(std::string_view text) {
  Bytes out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const auto value = kBase64Url.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>(bits >> held & 255));
    }
  }
  if (held == 6) return std::nullopt;
  if ((bits & ((1U << held) - 1U)) != 0) return std::nullopt;  // one text per value
  return out;
}

Bytes prefix_end(BytesView prefix) {
  Bytes end(prefix);
  while (!end.empty()) {
    if (static_cast<std::uint8_t>(end.back()) != 0xff) {
      end.back() = static_cast<char>(static_cast<std::uint8_t>(end.back()) + 1);
      return end;
    }
    end.pop_back();
  }
  return end;
}

}  // namespace granary
