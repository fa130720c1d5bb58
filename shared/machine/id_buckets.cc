#include "shared/machine/id_buckets.h"

#include "shared/base/check.h"
#include "shared/base/probe.h"

namespace granary::machine {
namespace {

constexpr int kSlotBits = 7;
static_assert(std::size_t{1} << kSlotBits == IdBuckets::kBlockEntries);
// Room for the last day of the year 9999 in what a place leaves for it.
constexpr std::int64_t kDayMax = (1 << 24) - 1;
constexpr std::size_t kSubstanceAt = 16, kLaneAt = 48;

std::uint64_t fingerprint_of(BytesView id) {
  return read_u64(id);
}

BytesView entry_at(BytesView block, std::size_t slot) {
  return block.substr(slot * IdBuckets::kEntryBytes, IdBuckets::kEntryBytes);
}

std::uint64_t block_id(std::int64_t day, std::uint32_t number) {
  return static_cast<std::uint64_t>(day) << 32 | number;
}

std::int64_t day_of(std::uint64_t block) {
  return static_cast<std::int64_t>(block >> 32);
}

}  // namespace

void IdBuckets::open(const store::View& view) {
  view_ = &view;
  const Bytes from(1, static_cast<char>(prefix()));
  view.scan(from, prefix_end(from), [this](BytesView key, BytesView value) {
    GRANARY_CHECK(key.size() == 13 && !value.empty() && value.size() % kEntryBytes == 0 &&
                      value.size() <= kBlockEntries * kEntryBytes,
                  "a block of ids has another size");
    const std::int64_t day = read_i64(key.substr(1));
    const std::uint32_t number = read_u32(key.substr(9));
    Bucket& bucket = buckets_[day];
    GRANARY_CHECK(number == bucket.blocks && (number == 0 || bucket.in_last == kBlockEntries),
                  "a block of ids is missing or short");
    ++bucket.blocks;
    bucket.in_last = value.size() / kEntryBytes;
    index_block(block_id(day, number), value);
    return true;
  });
}

void IdBuckets::index_block(BlockId id, BytesView bytes) {
  for (std::size_t slot = 0; slot < bytes.size() / kEntryBytes; ++slot)
    index_.add(fingerprint_of(entry_at(bytes, slot)), id << kSlotBits | slot);
}

std::optional<std::uint64_t> IdBuckets::place_of(const Id16& id) {
  return index_.find(fingerprint_of(view_of(id)), [&](std::uint64_t place) {
    const Bytes& bytes = block(place >> kSlotBits).bytes;
    return entry_at(bytes, place % kBlockEntries).substr(0, id.size()) == view_of(id);
  });
}

std::optional<IdBuckets::Entry> IdBuckets::find(const Id16& id) {
  const auto place = place_of(id);
  if (!place) return std::nullopt;
  const BytesView bytes = entry_at(block(*place >> kSlotBits).bytes, *place % kBlockEntries);
  return Entry{*hash_from(bytes.substr(kSubstanceAt, 32)), read_u16(bytes.substr(kLaneAt)),
               read_u64(bytes.substr(kLaneAt + 2)), day_of(*place >> kSlotBits)};
}

void IdBuckets::add(const Id16& id, const Hash32& substance, std::int64_t day, std::uint16_t lane_partition,
                    std::uint64_t lane_number) {
  GRANARY_CHECK(day >= 0 && day <= kDayMax, "an id belongs to a day outside the years 1970 to 9999");
  Bucket& bucket = buckets_[day];
  const bool opens = bucket.blocks == 0 || bucket.in_last == kBlockEntries;
  if (opens) {
    if (bucket.blocks > 0) GRANARY_PROBE("a day of ids begins another block");
    ++bucket.blocks;
    bucket.in_last = 0;
  }
  const BlockId last = block_id(day, bucket.blocks - 1);
  Block& target = opens ? keep(last, Bytes()) : block(last);
  target.bytes.append(view_of(id));
  target.bytes.append(view_of(substance));
  append_u16(target.bytes, lane_partition);
  append_u64(target.bytes, lane_number);
  touch(target);
  index_.add(fingerprint_of(view_of(id)), last << kSlotBits | bucket.in_last++);
}

void IdBuckets::set_lane(const Id16& id, std::uint16_t lane_partition, std::uint64_t lane_number) {
  const auto place = place_of(id);
  GRANARY_CHECK(place.has_value(), "a lane number was to be set for an id that is not there");
  Bytes lane;
  append_u16(lane, lane_partition);
  append_u64(lane, lane_number);
  Block& target = block(*place >> kSlotBits);
  target.bytes.replace(*place % kBlockEntries * kEntryBytes + kLaneAt, lane.size(), lane);
  touch(target);
}

void IdBuckets::drop_before(std::int64_t day) {
  while (!buckets_.empty() && buckets_.begin()->first < day) {
    GRANARY_PROBE("a day of ids is dropped");
    const auto [dropped, bucket] = *buckets_.begin();
    for (std::uint32_t number = 0; number < bucket.blocks; ++number) {
      const BlockId id = block_id(dropped, number);
      Block& gone = block(id);
      for (std::size_t slot = 0; slot < gone.bytes.size() / kEntryBytes; ++slot)
        index_.erase(fingerprint_of(entry_at(gone.bytes, slot)), id << kSlotBits | slot);
      const auto cached = cached_.find(id);
      (gone.dirty ? dirty_ : clean_).erase(cached->second);
      cached_.erase(cached);
      erased_.push_back(id);
    }
    buckets_.erase(buckets_.begin());
  }
}

void IdBuckets::flush(store::WriteSet& rows) {
  // First what was dropped: a day may have begun anew since.
  for (const BlockId id : erased_) rows.erase(key_of(id));
  erased_.clear();
  dirty_.sort([](const Block& a, const Block& b) { return a.id < b.id; });
  for (Block& changed : dirty_) {
    rows.put(key_of(changed.id), changed.bytes);
    changed.dirty = false;
  }
  clean_.splice(clean_.begin(), dirty_);
}

Bytes IdBuckets::key_of(BlockId id) const {
  Bytes key(1, static_cast<char>(prefix()));
  append_i64(key, day_of(id));
  append_u32(key, static_cast<std::uint32_t>(id));
  return key;
}

// The block, read if need be. Lives until the next call of this or keep().
IdBuckets::Block& IdBuckets::block(BlockId id) {
  if (const auto found = cached_.find(id); found != cached_.end()) {
    if (!found->second->dirty) clean_.splice(clean_.begin(), clean_, found->second);
    return *found->second;
  }
  auto bytes = view_->get(key_of(id));
  GRANARY_CHECK(bytes.has_value(), "a block of ids is not in the store");
  return keep(id, std::move(*bytes));
}

IdBuckets::Block& IdBuckets::keep(BlockId id, Bytes bytes) {
  while (clean_.size() >= cached_blocks_max_ && !clean_.empty()) {
    cached_.erase(clean_.back().id);
    clean_.pop_back();
  }
  clean_.push_front({id, std::move(bytes), false});
  cached_.emplace(id, clean_.begin());
  return clean_.front();
}

void IdBuckets::touch(Block& block) {
  if (block.dirty) return;
  block.dirty = true;
  dirty_.splice(dirty_.begin(), clean_, cached_.at(block.id));
}

}  // namespace granary::machine
