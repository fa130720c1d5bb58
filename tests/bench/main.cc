// `granary-bench`: what Granary costs, figure by figure.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "shared/base/version.h"
#include "tests/bench/commands.h"
#include "tests/bench/measuring.h"

namespace {

constexpr const char* kOwnData = "An empty or absent directory for log and state; they stay (default: a temporary one)";

}  // namespace

int main(int argc, char** argv) {
  using namespace granary::bench;
  CLI::App app{
      "What Granary costs on this machine. Each benchmark makes its workload from a seed, puts it into a log, lets the "
      "machines work, and prints tables for people and, as its last line, one JSON object. `result_hash` there covers "
      "what the machines hold in the end: for one seed and size it is always the same, however fast they were.\n\n"
      "  granary-bench pipeline          usage in the log until its last billing record is durable\n"
      "  granary-bench pipeline --brokers HOST:PORT   the same over Kafka\n"
      "  granary-bench intake            CloudEvents over HTTP until they are acknowledged\n"
      "  granary-bench replay            all machines from nothing, over a log that stands\n"
      "  granary-bench read              balances asked for while the machines fold at full speed\n"
      "  granary-bench state             bytes per identity, project and charge\n"
      "  granary-bench scale             the cost of an event in a large ledger and in a small one\n"
      "  granary-bench sweeps            what others feel of a fact that concerns a million rows\n"
      "\nA figure is worth what the machine was idle beside it; docs/performance.md says what is measured how.",
      "granary-bench"};
  app.set_version_flag("--version", granary::kVersion);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 measured, 2 usage, 3 cannot measure.");

  Arguments arguments;
  if (const char* pid = std::getenv("GRANARY_TEST_BROKER_PID")) arguments.broker_pid = std::atoi(pid);
  const auto is_unused = [](const std::string& path) {
    std::error_code none;
    const bool empty = !std::filesystem::exists(path, none) || std::filesystem::is_empty(path, none);
    return empty ? "" : "expected an empty or absent directory, got " + path + "; hint: give it one of its own";
  };
  const auto command = [&](const char* name, const char* description, std::uint64_t events, std::uint64_t projects,
                           const char* data_help = kOwnData) {
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
    CLI::Option* data = one->add_option("--data", arguments.data, data_help);
    if (data_help == kOwnData) data->check(is_unused);
    return one;
  };
  const auto take_brokers = [&](CLI::App* one) {
    one->add_option("--brokers", arguments.brokers,
                    "Kafka's brokers, HOST:PORT, that hold no ledger yet, in place of the embedded log");
    one->add_option("--broker-pid", arguments.broker_pid,
                    "The broker's process, to count its processor time too (default: the one that runs here)");
  };

  CLI::App* pipeline = command(
      "pipeline", "Usage events that stand in the log, until the last billing record is durable", 2'000'000, 10'000);
  take_brokers(pipeline);
  pipeline->add_option("--perf-control", arguments.perf_control,
                       "perf's control file: only what is measured is recorded (docs/performance.md)");
  int at_rate_s = 0;
  pipeline
      ->add_option("--at-rate", at_rate_s,
                   "Then append at a tenth and at half of that rate, for so many SECONDS each, and time each event "
                   "from its append to its billing record")
      ->check(CLI::Range(1, 3600));
  pipeline->callback([&] { bench_pipeline(arguments, at_rate_s); });

  int connections = 8;
  std::uint64_t batch = 100;
  CLI::App* intake =
      command("intake", "CloudEvents over HTTP, acknowledged when durable, folded meanwhile", 1'000'000, 10'000);
  intake->add_option("--connections", connections, "Clients, one request at a time each")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  intake->add_option("--batch", batch, "Events a request")->check(CLI::Range(1, 10'000))->capture_default_str();
  take_brokers(intake);
  intake->callback([&] { bench_intake(arguments, connections, batch); });

  CLI::App* replay = command("replay", "Fold speed over a log that stands", 2'000'000, 10'000,
                             "Where a stopped server or `pipeline --data` left a log (default: one is made first)");
  replay->callback([&] { bench_replay(arguments); });

  int readers = 4;
  int reads_per_s = 200;
  CLI::App* read = command("read", "Balances over HTTP while the machines fold at full speed", 2'000'000, 10'000);
  read->add_option("--connections", readers, "Readers")->check(CLI::Range(1, 256))->capture_default_str();
  read->add_option("--reads-per-s", reads_per_s, "Questions of all readers together")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  take_brokers(read);
  read->callback([&] { bench_read(arguments, readers, reads_per_s); });

  CLI::App* state = command("state", "Memory and disk: per identity (--events of them), per project, per charge",
                            10'000'000, 100'000);
  state->callback([&] { bench_state(arguments); });

  CLI::App* scale = command("scale",
                            "Processor time per event at --events against a tenth of them, and at --projects against a "
                            "thousandth",
                            10'000'000, 1'000'000);
  scale->callback([&] { bench_scale(arguments); });

  std::string what = "project";
  CLI::App* sweeps = command(
      "sweeps", "One fact that lets --events usages go (or ends the lots of --projects), and what others feel of it",
      1'000'000, 10'000);
  sweeps->add_option("--what", what, "What comes")
      ->check(CLI::IsMember({"lots", "project", "binding", "prices"}))
      ->capture_default_str();
  sweeps->callback([&] { bench_sweeps(arguments, what); });

  remove_temporary_on_signal();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const CannotMeasure& error) {
    std::fprintf(stderr, "granary-bench: %s\n", error.what());
    return 3;
  } catch (const std::filesystem::filesystem_error& error) {
    std::fprintf(stderr, "granary-bench: %s; hint: look at --data, or at TMPDIR and its room\n", error.what());
    return 3;
  }
  return 0;
}
