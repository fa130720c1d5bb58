// `granary serve`: the four services in this process.
#include <memory>

#include "services/cli/command.h"
#include "services/standalone/machines.h"
#include "shared/service/command_line.h"

namespace granary::cli {
namespace {

Run declare(CLI::App& command) {
  const auto options = std::make_shared<service::ServerOptions>();
  service::add_server_options(command, *options, "Where the journal and the state lie");
  service::add_partitions(command, options->partitions);
  service::add_kafka_options(command, *options,
                             "Kafka's brokers, HOST:PORT,HOST:PORT, in place of the embedded journal");
  command.footer(
      "Ends within 10 s of SIGTERM or Ctrl-C. Exit codes: 0 stopped as asked, 1 stopped because the log or the state "
      "failed, 2 usage, 3 cannot start.");
  return [options] { return service::run_server(*options, standalone::services(), service::Creates::yes); };
}

const Registered registered(
    {Users::operators, "serve",
     "Run the four services in this process, over the embedded journal or over Kafka (--brokers)", declare});

}  // namespace
}  // namespace granary::cli
