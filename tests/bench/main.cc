// `granary-bench`: what Granary costs, figure by figure.
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "shared/runtime/version.h"
#include "tests/bench/commands.h"
#include "tests/bench/measuring.h"

int main(int argc, char** argv) {
  using namespace granary::bench;
  CLI::App app{
      "What Granary costs on this machine. Each benchmark makes its workload from a seed, puts it into a log, lets the "
      "machines work, and prints tables for people and, as its last line, one JSON object. `result_hash` there covers "
      "what the machines hold in the end: for one seed and size it is always the same, however fast they were.\n\n"
      "  granary-bench pipeline                     usage in the log until the last billing record is durable\n"
      "\nA figure is worth what the machine was idle beside it; docs/performance.md says what is measured how.",
      "granary-bench"};
  app.set_version_flag("--version", granary::kVersion);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 measured, 2 usage, 3 cannot measure.");

  Arguments arguments;
  if (const char* pid = std::getenv("GRANARY_TEST_BROKER_PID")) arguments.broker_pid = std::atoi(pid);
  const auto command = [&](const char* name, const char* description, std::uint64_t events, std::uint64_t projects) {
    CLI::App* one = app.add_subcommand(name, description);
    one->preparse_callback([&arguments, events, projects](std::size_t) {
      arguments.workload.events = events;
      arguments.workload.projects = projects;
    });
    one->add_option("--events", arguments.workload.events, "Usage events (default " + std::to_string(events) + ")")
        ->check(CLI::Range(1ULL, 1'000'000'000ULL));
    one->add_option("--projects", arguments.workload.projects, "Projects (default " + std::to_string(projects) + ")")
        ->check(CLI::Range(1ULL, 10'000'000ULL));
    one->add_option("--seed", arguments.workload.seed, "Another workload of the same size")->capture_default_str();
    one->add_option("--data", arguments.data,
                    "An empty or absent directory for log and state; they stay (default: a temporary one)");
    return one;
  };

  CLI::App* pipeline = command(
      "pipeline", "Usage events that stand in the log, until the last billing record is durable", 2'000'000, 10'000);
  pipeline->callback([&] { bench_pipeline(arguments); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const CannotMeasure& error) {
    std::fprintf(stderr, "granary-bench: %s\n", error.what());
    return 3;
  }
  return 0;
}
