// SHA-256 of what is in the log. A Hasher belongs to one thread; the free functions use one per thread.
#pragma once

#include <initializer_list>
#include <memory>

#include "shared/base/bytes.h"

namespace granary::proof {

// A reused context: a one-shot SHA256() of OpenSSL 3 looks the algorithm up each time and costs twice as much.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void start();
  void add(BytesView bytes);
  [[nodiscard]] Hash32 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] Hash32 sha256(BytesView bytes);
// SHA-256 over the parts, each preceded by its length (u32, big-endian): no two lists of parts share it.
[[nodiscard]] Hash32 sha256_of_parts(std::initializer_list<BytesView> parts);
// One link of a lane's chain: SHA-256(before || bytes).
[[nodiscard]] Hash32 chain(const Hash32& before, BytesView bytes);
// The shard of a key: the first 8 bytes of sha256_of_parts, big-endian, modulo `partitions`.
[[nodiscard]] std::uint16_t shard_of(std::initializer_list<BytesView> key, std::uint16_t partitions);

}  // namespace granary::proof
