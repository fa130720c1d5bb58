// What the command lines of all programs have alike: an empty value (a variable that is not set) is refused for every
// option, and what is wrong ends in one line and exit code 2. One thread, main's.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <vector>

namespace granary::service {

// Parses and runs the callbacks of subcommands. The exit code with which the program has to end, after --help and
// --version 0; nullopt: go on. The app's name is the program's.
std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv);

// --brokers, --kafka and --kafka-file; returns --brokers.
CLI::Option* add_kafka_options(CLI::App& app, std::string& brokers, std::vector<std::string>& settings,
                               std::string& file, const std::string& about_brokers);

}  // namespace granary::service
