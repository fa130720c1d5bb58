// The main function of a server that differs from granary in one thing, for a test: the same machines through the same
// service::run_server, with the options that tests of processes use, and --machine for one of the four alone.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "services/standalone/machines.h"

namespace granary::test {

// `app` may have options of its own, `options` values that no option sets. The exit code.
inline int test_server_main(CLI::App& app, service::ServerOptions options, int argc, char** argv) {
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

}  // namespace granary::test
