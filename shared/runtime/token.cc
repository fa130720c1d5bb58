#include "shared/runtime/token.h"

#include <fmt/format.h>

#include "shared/base/bytes.h"

namespace granary::runtime {

// u32 ledger, then of each place u8 topic, u16 partition, u64 offset.
std::string Token::text() const {
  if (places.empty()) return {};
  Bytes bytes;
  append_u32(bytes, ledger);
  for (const Place& place : places) {
    append_u8(bytes, static_cast<std::uint8_t>(place.topic));
    append_u16(bytes, place.partition);
    append_u64(bytes, place.offset);
  }
  return to_base64url(bytes);
}

Result<Token> Token::parse(std::string_view text) {
  constexpr std::size_t kPlaceBytes = 11;
  if (text.empty()) return Token();
  const auto bytes = from_base64url(text);
  const Error malformed{
      ErrorCode::invalid_input,
      fmt::format("expected a token as an answer gave it, got \"{}\"; hint: pass the value of `after` unchanged",
                  text.substr(0, 60))};
  if (!bytes || bytes->size() <= sizeof(LedgerMark) || (bytes->size() - sizeof(LedgerMark)) % kPlaceBytes != 0)
    return malformed;
  Token token;
  token.ledger = read_u32(*bytes);
  for (BytesView rest = BytesView(*bytes).substr(sizeof(LedgerMark)); !rest.empty(); rest.remove_prefix(kPlaceBytes)) {
    const auto topic = static_cast<std::uint8_t>(rest[0]);
    if (topic < 1 || topic > static_cast<std::uint8_t>(machine::Topic::ledger)) return malformed;
    token.places.push_back({static_cast<machine::Topic>(topic), read_u16(rest.substr(1)), read_u64(rest.substr(3))});
    if (token.places.back().offset == ~std::uint64_t{0}) return malformed;  // no record follows it
  }
  return token;
}

}  // namespace granary::runtime
