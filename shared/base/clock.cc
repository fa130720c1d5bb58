#include "shared/base/clock.h"

#include <chrono>

namespace granary {
namespace {

template <class C>
std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(C::now().time_since_epoch()).count();
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return now_ms<std::chrono::system_clock>(); }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return now_ms<std::chrono::steady_clock>(); }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace granary
