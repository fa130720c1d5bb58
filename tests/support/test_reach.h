// What questions reach in a test (shared/ask/reach.h): a runtime of the test's own, other processes, a loop.
#pragma once

#include "shared/ask/reach.h"

namespace granary::test {

class TestReach {
 public:
  ~TestReach() { readers.stop(); }
  [[nodiscard]] ask::Reach to(runtime::Runtime& runtime) { return {runtime, forwarder, readers}; }

  http::WorkPool readers{1, 64};
  http::Loop loop;
  peers::Forwarder forwarder{loop};
};

}  // namespace granary::test
