#include "shared/service/command_line.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "shared/service/kafka_options.h"
#include "shared/service/program.h"

namespace granary::service {
namespace {

// More than an inbox grows by in a year; a checkpoint that never comes would be no checkpoint.
constexpr int kCheckpointRecordsMax = 1'000'000'000;

std::string refuse_empty(const std::string& text) {
  return text.empty() ? "expected a value, got an empty one; is a variable not set?" : "";
}

// CLI11 takes -1 for a large number and 010 for eight.
std::string refuse_no_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  const bool is_plain = text.size() == 1 || text.front() != '0';
  return is_whole && is_plain ? "" : "expected a whole number, got " + text;
}

void check_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    if (option->get_items_expected_max() == 0) continue;
    const std::string type = option->get_type_name();
    // Validators run in the order in which they were added; whatever the others say, these have been asked.
    if (type.starts_with("INT") || type.starts_with("UINT")) option->check(refuse_no_number);
    option->check(refuse_empty);
  }
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) check_values(*command);
}

// "granary clock confirm"
std::string command_of(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app.get_name() : fmt::format("{} {}", app.get_name(), command_of(*commands.front()));
}

}  // namespace

std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv) {
  check_values(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      std::ostringstream said;
      app.exit(error, said, said);
      const auto written = write_output(said.str());
      if (!written.ok()) complain(written.error().message);
      return 0;
    }
    const std::string message = error.what();
    complain(message.find("hint: ") != std::string::npos
                 ? message
                 : fmt::format("{}; hint: {} --help", message, command_of(app)));
    return kUsage;
  }
  return std::nullopt;
}

CLI::Option* add_kafka_options(CLI::App& app, KafkaArguments& arguments, const std::string& about_brokers) {
  CLI::Option* option =
      app.add_option("--brokers", arguments.brokers, about_brokers)->check([](const std::string& text) {
        const auto checked = check_brokers(text);
        return checked.ok() ? std::string() : checked.error().message;
      });
  app.add_option("--kafka", arguments.kafka, "A setting of librdkafka, KEY=VALUE (TLS, SASL); may be repeated")
      ->allow_extra_args(false)
      ->needs(option);
  app.add_option("--kafka-file", arguments.kafka_file, "A file of such settings, a line each; for secrets")
      ->needs(option);
  return option;
}

void add_server_options(CLI::App& app, ServerOptions& options, const std::string& about_data) {
  app.add_option("--data", options.data, about_data)->capture_default_str();
  app.add_option("--listen", options.listen, "ADDRESS:PORT; port 0 takes a free one")->capture_default_str();
  app.add_option("--peers", options.peers, "A file of who owns which shards: lines of URL MACHINE SHARDS");
  app.add_option("--checkpoint-records", options.checkpoint_records,
                 "Write a checkpoint of an inbox after this number of its records (default 10000)")
      ->check(CLI::Range(1, kCheckpointRecordsMax));
  app.add_option("--log", options.log, "Lines on standard error (default: text on a terminal, else json)")
      ->check(CLI::IsMember({"json", "text"}));
}

void add_partitions(CLI::App& app, std::optional<std::uint16_t>& partitions) {
  app.add_option("--partitions", partitions, "Partitions of a new ledger, for ever (default 8)")
      ->check(CLI::Range(1, static_cast<int>(runtime::kPartitionsMax)));
}

}  // namespace granary::service
