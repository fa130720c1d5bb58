// The port to the states of many shards, each by its name ("allocation-3"): the one that is folded on, and, while a
// state is folded again, the old one that goes on answering.
//
// Moving and deleting are atomic: after a crash in the middle, the next open() finds the state of before or of after.
// While a store of a name is open, nothing of that name may be moved or deleted. Threads: calls for one name come one
// after the other; those for different names on any threads.
#pragma once

#include <memory>
#include <string_view>

#include "shared/store/store.h"

namespace granary::store {

class States {
 public:
  virtual ~States() = default;

  // The state that is folded on; a new one if there is none. Errors: those of open_rocks_store().
  virtual Result<std::unique_ptr<Store>> open(std::string_view name) = 0;
  // The old one, which is only read; nullptr if there is none. Errors as above.
  virtual Result<std::unique_ptr<Store>> open_old(std::string_view name) = 0;

  // The state becomes the old one. There must be no old one.
  virtual Result<void> set_aside(std::string_view name) = 0;
  // The old one becomes the state that is folded on; the one in its place is deleted. There must be an old one.
  virtual Result<void> take_back(std::string_view name) = 0;
  // Deletes the state that is folded on, if there is one. It can be folded again from the log.
  virtual Result<void> drop(std::string_view name) = 0;
  virtual Result<void> drop_old(std::string_view name) = 0;
};

}  // namespace granary::store
