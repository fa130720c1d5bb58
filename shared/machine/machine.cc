#include "shared/machine/machine.h"

#include <mutex>
#include <set>

#include "shared/proof/hash.h"

namespace granary::machine {

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

std::string_view interned(const std::string& reason) {
  static std::mutex mutex;
  static std::set<std::string> names;
  const std::lock_guard lock(mutex);
  return *names.insert(reason).first;
}

}  // namespace granary::machine
