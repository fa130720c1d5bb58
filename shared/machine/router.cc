#include <array>

#include "shared/machine/machine.h"
#include "shared/proof/hash.h"

namespace granary::machine {

struct Router::Memo {
  // 320 KiB, with short keys in them: room for the keys of a busy shard. Another key takes the place of an older one.
  static constexpr std::size_t kEntries = 8192;
  struct Entry {
    Bytes key;
    std::uint16_t shard = 0;
    bool filled = false;
  };
  std::array<Entry, kEntries> entries;
};

Router::Router(std::uint16_t partitions) : partitions_(partitions), memo_(std::make_unique<Memo>()) {}
Router::~Router() = default;

std::uint16_t Router::shard_of(BytesView key) {
  Memo::Entry& entry = memo_->entries[std::hash<BytesView>{}(key) % memo_->entries.size()];
  if (!entry.filled || entry.key != key) {
    entry.key.assign(key);
    entry.shard = proof::shard_of({key}, partitions_);
    entry.filled = true;
  }
  return entry.shard;
}

}  // namespace granary::machine
