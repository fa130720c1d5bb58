// A Fold over a store in memory, with what it sends kept in order. One thread.
#pragma once

#include <gtest/gtest.h>

#include "shared/fold/fold.h"
#include "shared/proof/hash.h"
#include "shared/store/memory_store.h"
#include "tests/support/toy_machine.h"

namespace granary::test {

using machine::MachineKind;
using machine::Topic;
using runtime::Fold;
using runtime::LaneTarget;

inline constexpr std::uint16_t kPartitions = 2;
inline constexpr runtime::Ledger kToyLedger{kTestLedger, kPartitions, 1};

class FoldHarness {
 public:
  explicit FoldHarness(MachineKind kind, std::uint16_t shard = 0) : kind_(kind), shard_(shard) { open(); }

  // A new process over the same store.
  void open() {
    fold = std::make_unique<Fold>(kToyLedger, kind_, shard_, std::make_unique<ToyMachine>(kind_));
    fold->open(store);
  }
  Fold::Step take(const Bytes& record) { return fold->fold(record); }
  void commit() {
    store::WriteSet rows;
    std::vector<runtime::OutPacket> ready;
    fold->flush(rows, ready);
    ASSERT_TRUE(store.commit(rows).ok());
    fold->committed();
    for (auto& packet : ready) sent.push_back(std::move(packet));
  }
  ToyMachine& toy() { return static_cast<ToyMachine&>(fold->rules()); }

  // All events sent to a target so far (of what is committed), in order; numbers must be dense.
  [[nodiscard]] std::vector<Bytes> events_to(const LaneTarget& target) const {
    std::vector<Bytes> all;
    for (const auto& packet : sent) {
      if (packet.target != target) continue;
      auto view = runtime::PacketView::parse(events::body_of(packet.bytes));
      EXPECT_TRUE(view && view->first == all.size() + 1);
      while (const auto event = view->next()) all.emplace_back(*event);
      EXPECT_EQ(packet.last, all.size());
    }
    return all;
  }
  template <class T>
  std::vector<T> sent_to(const LaneTarget& target) const {
    std::vector<T> all;
    for (const Bytes& bytes : events_to(target)) {
      events::EventDecoder decoder;
      EXPECT_EQ(decoder.decode(bytes), events::DecodeResult::ok);
      if (const T* event = std::get_if<T>(&decoder.event())) all.push_back(*event);
    }
    return all;
  }

  store::MemoryStore store;
  std::unique_ptr<Fold> fold;
  std::vector<runtime::OutPacket> sent;

 private:
  MachineKind kind_;
  std::uint16_t shard_;
};

// Writes the packets of one lane.
class LaneWriter {
 public:
  // The lane of (machine, shard) to a partition of the inbox of `reader`.
  explicit LaneWriter(MachineKind machine, std::uint16_t shard = 0, MachineKind reader = MachineKind::allocation,
                      std::uint16_t partition = 0)
      : machine_(machine),
        shard_(shard),
        hashes_{runtime::chain_start(kTestLedger, machine, shard, machine::inbox_of(reader), partition)} {}

  // Adds an event to the lane's history.
  template <class T>
  void say(const T& event) {
    Bytes bytes;
    events::encode_event(event, bytes);
    say_bytes(std::move(bytes));
  }
  void say_bytes(Bytes bytes) {
    hashes_.push_back(proof::chain(hashes_.back(), bytes));
    events_.push_back(std::move(bytes));
  }
  // The packet of events `first` to `last`, as a record.
  [[nodiscard]] Bytes packet(std::uint64_t first, std::uint64_t last) const {
    runtime::PacketBuilder builder;
    builder.start(kTestLedger, machine_, shard_, first, hashes_[first - 1]);
    for (std::uint64_t number = first; number <= last; ++number) builder.add(events_[number - 1]);
    return builder.take();
  }
  [[nodiscard]] const Hash32& hash(std::uint64_t number) const { return hashes_[number]; }

 private:
  MachineKind machine_;
  std::uint16_t shard_;
  std::vector<Bytes> events_;
  std::vector<Hash32> hashes_;
};

inline events::SourceCompleted toy_fact(std::uint64_t records) {
  return {"key", units::Instant(1), records};
}

inline events::UsageMetered toy_metered(const std::string& id, const std::string& project, std::int64_t amount) {
  events::UsageMetered metered;
  metered.source = "toy";
  metered.id = id;
  metered.project = project;
  metered.amounts = {{"toy", units::UnitKind::item, units::Amount(amount), units::Amount(amount)}};
  return metered;
}

// The bytes of an event of a type that no build has.
inline Bytes unknown_event() {
  Bytes bytes;
  codec::put_varint(bytes, 999 << 3 | 2);
  bytes.push_back('\0');
  return bytes;
}

inline std::int64_t amount_of(const ToySum& sum) {
  return static_cast<std::int64_t>(sum.amount.value());
}

}  // namespace granary::test
