// What the command lines of all programs have alike: an empty value (a variable that is not set) is refused for every
// option, and what is wrong ends in one line and exit code 2. One thread, main's.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include "shared/service/server.h"

namespace granary::service {

// Parses and runs the callbacks of subcommands. The exit code with which the program has to end, after --help and
// --version 0; nullopt: go on. The app's name is the program's.
std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv);

// --brokers, --kafka and --kafka-file; returns --brokers.
CLI::Option* add_kafka_options(CLI::App& app, KafkaArguments& arguments, const std::string& about_brokers);

// --data, --listen, --peers, --checkpoint-records and --log: what every server takes.
void add_server_options(CLI::App& app, ServerOptions& options, const std::string& about_data);

// --partitions of a ledger that may be made.
void add_partitions(CLI::App& app, std::optional<std::uint16_t>& partitions);

}  // namespace granary::service
