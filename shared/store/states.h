// Where the states of many shards lie, each by its name ("allocation-3"): the one that is folded on, and where a state
// is folded again beside it, the old one that goes on answering.
//
// What moves or deletes is all or nothing: after a crash in the middle the next open() finds what stood before or what
// was to come. While a name's stores are open nothing of it may be moved or deleted. Threads: calls for one name come
// one after the other; those for different names on any threads.
#pragma once

#include <memory>
#include <string_view>

#include "shared/store/store.h"

namespace granary::store {

class States {
 public:
  virtual ~States() = default;

  // The state that is folded on; a new one where there is none. Errors: those of open_rocks_store().
  virtual Result<std::unique_ptr<Store>> open(std::string_view name) = 0;
  // The old one, of which nobody changes anything; nullptr where there is none. Errors as above.
  virtual Result<std::unique_ptr<Store>> open_old(std::string_view name) = 0;

  // The state becomes the old one. There must be no old one.
  virtual Result<void> set_aside(std::string_view name) = 0;
  // The old one becomes the state that is folded on; what stood in its place is deleted. There must be an old one.
  virtual Result<void> take_back(std::string_view name) = 0;
  // Deletes the state that is folded on, where there is one. The log has it all.
  virtual Result<void> drop(std::string_view name) = 0;
  virtual Result<void> drop_old(std::string_view name) = 0;
};

}  // namespace granary::store
