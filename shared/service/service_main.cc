#include "shared/service/service_main.h"

#include "shared/base/version.h"
#include "shared/ledger/ledger.h"
#include "shared/peers/peers.h"
#include "shared/service/command_line.h"
#include "shared/service/program.h"

namespace granary::service {

int service_main(int argc, char** argv, const std::string& name, const std::string& does, const Hosted& hosted) {
  return run_program([&] {
    CLI::App app{
        does +
            "\n\nReads one topic of a ledger in Kafka and appends to those behind it. The ledger is made once, by "
            "`granary topics --create`. Any of the services takes any event (POST /v1/events); questions about "
            "other shards go on to their owner, by the list of peers.",
        name};
    app.set_version_flag("--version", kVersion);
    ServerOptions options;
    add_kafka_options(app, options, "Kafka's brokers: HOST:PORT,HOST:PORT")->required();
    add_server_options(app, options, "Where the state lies; it may be deleted, the log has it all");
    app.add_option("--shards", options.shards, "The shards of this process: all, or as 0-3,7")
        ->capture_default_str()
        ->check([](const std::string& text) {
          const auto shards = peers::parse_shards(text, runtime::kPartitionsMax);
          return shards.ok() ? std::string() : shards.error().message;
        });
    app.footer(
        "Exit codes: 0 stopped as asked, 1 stopped because the log or the state failed, 2 usage, 3 cannot start.");
    if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
    return run_server(options, {hosted}, Creates::no);
  });
}

}  // namespace granary::service
