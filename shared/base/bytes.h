// Bytes, hashes and ids as values, and their text forms. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace granary {

using Bytes = std::string;           // owned
using BytesView = std::string_view;  // borrowed: lives as long as what it looks at

using Hash32 = std::array<std::uint8_t, 32>;  // a SHA-256
using Id16 = std::array<std::uint8_t, 16>;    // its first half: an identity

inline BytesView view_of(const Hash32& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}
inline BytesView view_of(const Id16& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

// The first 16 bytes of a hash.
Id16 id_of(const Hash32& hash);
// `bytes` must have exactly 16 (32) of them; otherwise nullopt.
std::optional<Id16> id_from(BytesView bytes);
std::optional<Hash32> hash_from(BytesView bytes);

// Big-endian, so that keys sort as their numbers do.
void append_u8(Bytes& out, std::uint8_t value);
void append_u16(Bytes& out, std::uint16_t value);
void append_u32(Bytes& out, std::uint32_t value);
void append_u64(Bytes& out, std::uint64_t value);
// Sorts negative numbers before positive ones (the sign bit is flipped).
void append_i64(Bytes& out, std::int64_t value);
// `bytes` must be long enough.
std::uint16_t read_u16(BytesView bytes);
std::uint32_t read_u32(BytesView bytes);
std::uint64_t read_u64(BytesView bytes);
std::int64_t read_i64(BytesView bytes);

// Length (u32) and bytes, for keys and hashes over several parts.
void append_part(Bytes& out, BytesView part);
// Takes a part off the front of `bytes`; nullopt if there is none.
std::optional<BytesView> take_part(BytesView& bytes);

// Lower-case hexadecimal.
std::string to_hex(BytesView bytes);
// The same to `at`, where two bytes must be free for each; the end of what was written.
char* write_hex(char* at, BytesView bytes);
std::optional<Bytes> from_hex(std::string_view text);

// Base64 with the URL alphabet, no padding (RFC 4648 section 5).
std::string to_base64url(BytesView bytes);
std::optional<Bytes> from_base64url(std::string_view text);

// The first key after all keys that start with `prefix`; empty: there is none.
Bytes prefix_end(BytesView prefix);

}  // namespace granary
