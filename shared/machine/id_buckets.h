// Exact dedupe as ledger state (design, sections 3 and 5): the identities of the raw events that a shard has taken,
// with what tells another substance from theirs and the place in a lane of what was emitted for them, kept in buckets
// by day and dropped a whole bucket at a time.
//
// Rows: key = prefix (1 byte), day (i64), block (u32); value = up to 128 entries of 58 bytes: identity 16, substance
// 32, lane partition u16, lane number u64, all big-endian. Only the last block of a bucket grows; blocks are cut by
// content alone. Memory: about 16 to 37 bytes an id for the index, which open() builds again, and a bounded cache of
// blocks.
//
// Threads: belongs to its machine's thread. Ownership: owns its index and cache; the view must outlive it.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/machine/fingerprint_index.h"
#include "shared/machine/table_set.h"
#include "shared/store/store.h"

namespace granary::machine {

class IdBuckets final : public AnyTable {
 public:
  struct Entry {
    Hash32 substance{};  // the machine's: a hash, or what else it compares
    std::uint16_t lane_partition = 0;
    std::uint64_t lane_number = 0;  // of what was emitted for it; 0: it waits, or nothing was
    std::int64_t day = 0;           // its bucket
  };

  static constexpr std::size_t kBlockEntries = 128;
  static constexpr std::size_t kEntryBytes = 58;

  // Of the blocks that did not change since the last flush at most `cached_blocks_max` (7.4 kB each) stay in memory.
  template <TablePrefix Prefix>
  IdBuckets(TableSet& set, Prefix prefix, std::size_t cached_blocks_max = kCachedBlocksMax)
      : AnyTable(set, static_cast<std::uint8_t>(prefix)), cached_blocks_max_(cached_blocks_max) {}
  // 1.9 MB: the last block of each day that still grows, and those that a late repeat or a drop reads.
  static constexpr std::size_t kCachedBlocksMax = 256;

  // Once, before all else: reads all blocks.
  void open(const store::View& view) override;
  // No question asks for identities.
  void show(const store::View&) override {}

  // nullopt: never added, or dropped since.
  [[nodiscard]] std::optional<Entry> find(const Id16& id);
  // The id must not be there. `day` is units::day_number of an instant within the years 1970 to 9999.
  void add(const Id16& id, const Hash32& substance, std::int64_t day, std::uint16_t lane_partition,
           std::uint64_t lane_number);
  // What waited was emitted. The id must be there.
  void set_lane(const Id16& id, std::uint16_t lane_partition, std::uint64_t lane_number);
  // Forgets the buckets of all days before `day`. Costs nothing if there are none, else as much as they hold.
  void drop_before(std::int64_t day);

  // Adds the blocks that changed and erases the dropped ones. They must be in the store before the next call of any
  // function here.
  void flush(store::WriteSet& rows) override;
  void committed() override {}

  [[nodiscard]] std::uint64_t size() const { return index_.size(); }
  // Of the index, without the cache of blocks.
  [[nodiscard]] std::size_t index_bytes() const { return index_.memory_bytes(); }

 private:
  // day << 32 | number
  using BlockId = std::uint64_t;
  struct Block {
    BlockId id = 0;
    Bytes bytes;
    bool dirty = false;
  };
  using Blocks = std::list<Block>;
  struct Bucket {
    std::uint32_t blocks = 0;
    std::size_t in_last = 0;
  };

  [[nodiscard]] Bytes key_of(BlockId id) const;
  Block& block(BlockId id);
  Block& keep(BlockId id, Bytes bytes);
  void touch(Block& block);
  std::optional<std::uint64_t> place_of(const Id16& id);
  void index_block(BlockId id, BytesView bytes);

  std::size_t cached_blocks_max_;
  const store::View* view_ = nullptr;
  FingerprintIndex index_;  // places: block id << 7 | slot
  std::map<std::int64_t, Bucket> buckets_;
  Blocks clean_, dirty_;  // clean ones: the most recently used first
  std::unordered_map<BlockId, Blocks::iterator> cached_;
  std::vector<BlockId> erased_;
};

}  // namespace granary::machine
