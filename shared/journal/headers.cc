#include "shared/journal/headers.h"

#include "shared/base/check.h"

namespace granary::journal {
namespace {

BytesView take_whole(BytesView& bytes) {
  const auto part = take_part(bytes);
  GRANARY_CHECK(part.has_value(), "a header is cut short");
  return *part;
}

}  // namespace

Header Headers::Iterator::operator*() const {
  BytesView rest = rest_;
  const BytesView name = take_whole(rest);
  return {name, take_whole(rest)};
}

Headers::Iterator& Headers::Iterator::operator++() {
  take_whole(rest_);
  take_whole(rest_);
  return *this;
}

Headers::Headers(std::initializer_list<Header> headers) {
  for (const Header& header : headers) add(header.name, header.value);
}

void Headers::add(BytesView name, BytesView value) {
  count_up(1);
  append_part(bytes_, name);
  append_part(bytes_, value);
}

void Headers::add(const Headers& others) {
  if (others.empty()) return;
  count_up(others.size());
  bytes_.append(others.bytes_, kCount);
}

void Headers::encode(Bytes& out) const {
  if (empty())
    append_u32(out, 0);
  else
    out.append(bytes_);
}

bool Headers::take(BytesView& bytes) {
  bytes_.clear();
  if (bytes.size() < kCount) return false;
  const std::uint32_t count = read_u32(bytes);
  BytesView rest = bytes.substr(kCount);
  for (std::uint32_t i = 0; i < count; ++i)
    if (!take_part(rest) || !take_part(rest)) return false;
  if (count > 0) bytes_.assign(bytes.substr(0, bytes.size() - rest.size()));
  bytes = rest;
  return true;
}

void Headers::count_up(std::size_t more) {
  auto count = static_cast<std::uint32_t>(size() + more);
  if (empty()) bytes_.resize(kCount);
  for (std::size_t i = kCount; i-- > 0; count >>= 8) bytes_[i] = static_cast<char>(count);
}

}  // namespace granary::journal
