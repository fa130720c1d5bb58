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
    add_kafka_options(app, options.brokers, options.kafka, options.kafka_file, "Kafka's brokers: HOST:PORT,HOST:PORT")
        ->required();
    app.add_option("--data", options.data, "Where the state lies; it may be deleted, the log has it all")
        ->capture_default_str();
    app.add_option("--listen", options.listen, "ADDRESS:PORT; port 0 takes a free one")->capture_default_str();
    app.add_option("--shards", options.shards, "The shards of this process: all, or as 0-3,7")
        ->capture_default_str()
        ->check([](const std::string& text) {
          const auto shards = peers::parse_shards(text, runtime::kPartitionsMax);
          return shards.ok() ? std::string() : shards.error().message;
        });
    app.add_option("--peers", options.peers, "A file of who owns which shards: lines of URL MACHINE SHARDS");
    app.add_option("--checkpoint-records", options.checkpoint_records,
                   "Write a checkpoint of an inbox after so many of its records (default 10000)")
        ->check(CLI::Range(1, 1'000'000'000));
    app.add_option("--log", options.log, "Lines on standard error (default: text on a terminal, else json)")
        ->check(CLI::IsMember({"json", "text"}));
    app.footer(
        "Exit codes: 0 stopped as asked, 1 stopped because the log or the state failed, 2 usage, 3 cannot start.");
    if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
    return run_server(options, {hosted}, Creates::no);
  });
}

}  // namespace granary::service
