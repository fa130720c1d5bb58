#include "shared/codec/wire.h"

namespace granary::codec {

bool take_long_varint(BytesView& in, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < in.size() && i < kVarintBytesMax; ++i) {
    const auto byte = static_cast<std::uint8_t>(in[i]);
    if (i == 9 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      if (byte == 0 && i > 0) return false;
      in.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

void FieldReader::skip_unknown(int end) {
  for (int before = last + 1; tag != 0 && tag < end;) {
    std::uint64_t number = 0;
    BytesView bytes;
    if (tag < before || !(kind == WireKind::varint ? take_varint(in, number) : take_bytes(in, bytes))) return fail();
    before = tag;
    newer = true;
    next();
  }
}

}  // namespace granary::codec
