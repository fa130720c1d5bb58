// granary-stepped: Granary with a wall clock that a test sets. To the machine's it adds the milliseconds that stand in
// the file which the environment's GRANARY_CLOCK_OFFSET names, read anew at each question; no file: none. What has
// passed since (the monotonic clock) is the machine's.
#include <cstdlib>
#include <fstream>
#include <utility>

#include "shared/base/clock.h"
#include "tests/support/test_server.h"

namespace granary {
namespace {

class SteppedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return system_clock().wall_ms() + offset_ms(); }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return system_clock().monotonic_ms(); }

 private:
  static std::int64_t offset_ms() {
    const char* path = std::getenv("GRANARY_CLOCK_OFFSET");
    if (path == nullptr) return 0;
    std::int64_t offset = 0;
    std::ifstream(path) >> offset;
    return offset;
  }
};

}  // namespace
}  // namespace granary

int main(int argc, char** argv) {
  CLI::App app{"Granary with a clock that a test sets", "granary-stepped"};
  const granary::SteppedClock clock;
  granary::service::ServerOptions options;
  options.clock = &clock;
  return granary::test::test_server_main(app, std::move(options), argc, argv);
}
