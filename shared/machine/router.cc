#include <array>

#include "shared/machine/machine.h"
#include "shared/proof/hash.h"

namespace granary::machine {

struct Router::Memo {
  struct Entry {
    Bytes key;
    std::uint16_t shard = 0;
    bool filled = false;
  };
  std::array<Entry, 8192> entries;
};

Router::Router(std::uint16_t partitions) : partitions_(partitions), memo_(std::make_unique<Memo>()) {}
Router::~Router() = default;

Id16 root_identity(const events::Root& root) {
  return id_of(proof::sha256_of_parts({root.source, root.id}));
}

Id16 identity_of(const events::Raw& raw) {
  if (raw.root.source.empty()) return id_of(proof::sha256_of_parts({raw.source, raw.id}));
  return id_of(proof::sha256_of_parts({raw.root.source, raw.root.id, raw.source, raw.id}));
}

Hash32 substance_hash(const events::Raw& raw) {
  return proof::sha256(raw.substance);
}

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
