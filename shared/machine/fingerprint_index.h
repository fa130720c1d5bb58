// Places by a uniformly spread 64-bit fingerprint of what lies there: an open-addressing table with 16 bytes a slot,
// between 7/16 and 7/8 full, so that tens of millions of them fit into memory. Two things may share a fingerprint: the
// owner tells them apart. Order and size of the table influence nothing that lasts.
//
// Our own, because boost::unordered_flat_set takes the same memory (21.5 bytes an id at 5 * 10^7 ids) and made
// bench_id_buckets with 2 * 10^7 ids use 13 to 15 % more processor time.
//
// Threads: belongs to one thread. Ownership: owns its slots.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "shared/base/check.h"
#include "shared/base/probe.h"

namespace granary::machine {

class FingerprintIndex {
 public:
  // The first place of that fingerprint for which `is(place)` holds.
  template <class Is>
  std::optional<std::uint64_t> find(std::uint64_t fingerprint, Is is) const {
    if (size_ == 0) return std::nullopt;
    for (std::size_t at = home_of(fingerprint); slots_[at].place_and_one != 0; at = after(at)) {
      const Slot& slot = slots_[at];
      if (slot.fingerprint != fingerprint) continue;
      if (is(slot.place_and_one - 1)) return slot.place_and_one - 1;
      GRANARY_PROBE("two ids share a fingerprint");
    }
    return std::nullopt;
  }

  // `place` must be below 2^64 - 1, and not be there.
  void add(std::uint64_t fingerprint, std::uint64_t place) {
    if ((size_ + 1) * 8 > slots_.size() * 7) grow();
    put({fingerprint, place + 1});
    ++size_;
  }

  // Must be there.
  void erase(std::uint64_t fingerprint, std::uint64_t place) {
    GRANARY_CHECK(size_ > 0, "a fingerprint was to be erased from an empty index");
    std::size_t hole = home_of(fingerprint);
    while (slots_[hole].fingerprint != fingerprint || slots_[hole].place_and_one != place + 1) {
      GRANARY_CHECK(slots_[hole].place_and_one != 0, "a fingerprint was to be erased that is not in the index");
      hole = after(hole);
    }
    // Those behind move up, so that no lookup stops too early and no tombstones pile up.
    for (std::size_t at = after(hole); slots_[at].place_and_one != 0; at = after(at)) {
      const std::size_t home = home_of(slots_[at].fingerprint);
      if (((at - home) & mask()) >= ((at - hole) & mask())) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole] = {};
    --size_;
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::size_t memory_bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint64_t fingerprint = 0;
    std::uint64_t place_and_one = 0;  // 0: free
  };

  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  [[nodiscard]] std::size_t after(std::size_t at) const { return (at + 1) & mask(); }
  // Multiplied, since the low bits of a fingerprint may have chosen the shard already.
  [[nodiscard]] std::size_t home_of(std::uint64_t fingerprint) const {
    return static_cast<std::size_t>(fingerprint * 0x9e3779b97f4a7c15U >> shift_);
  }
  void put(Slot slot) {
    std::size_t at = home_of(slot.fingerprint);
    while (slots_[at].place_and_one != 0) at = after(at);
    slots_[at] = slot;
  }
  void grow() {
    const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 64 : slots_.size() * 2));
    shift_ = before.empty() ? 64 - 6 : shift_ - 1;
    for (const Slot& slot : before)
      if (slot.place_and_one != 0) put(slot);
  }

  std::vector<Slot> slots_;  // a power of two of them
  int shift_ = 64;
  std::uint64_t size_ = 0;
};

}  // namespace granary::machine
