// granary-stepped: Granary with a wall clock that a test sets. To the machine's it adds the milliseconds that stand in
// the file which the environment's GRANARY_CLOCK_OFFSET names, read anew at each question; no file: none. What has
// passed since (the monotonic clock) is the machine's.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>

#include "services/standalone/machines.h"
#include "shared/base/clock.h"

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
  using namespace granary;
  CLI::App app{"Granary with a clock that a test sets", "granary-stepped"};
  const SteppedClock clock;
  service::ServerOptions options;
  options.clock = &clock;
  std::string machine;
  app.add_option("--machine", machine, "Only this one");
  app.add_option("--brokers", options.brokers);
  app.add_option("--data", options.data);
  app.add_option("--listen", options.listen);
  app.add_option("--partitions", options.partitions);
  app.add_option("--checkpoint-records", options.checkpoint_records);
  app.add_option("--shards", options.shards);
  app.add_option("--peers", options.peers);
  CLI11_PARSE(app, argc, argv);
  std::vector<service::Hosted> hosted;
  for (const service::Hosted& one : standalone::services())
    if (machine.empty() || machine == machine::machine_name(one.machine)) hosted.push_back(one);
  return service::run_server(options, hosted, machine.empty() ? service::Creates::yes : service::Creates::no);
}
