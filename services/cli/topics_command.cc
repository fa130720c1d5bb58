// `granary topics`: makes, checks and lists the topics of a ledger in Kafka.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "services/cli/command.h"
#include "services/cli/options.h"
#include "services/cli/table.h"
#include "shared/base/clock.h"
#include "shared/json/writer.h"
#include "shared/ledger/ledger.h"
#include "shared/machine/topology.h"
#include "shared/service/command_line.h"
#include "shared/service/kafka_options.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

using journal::TopicSetting;
using machine::Topic;

constexpr int kWell = 0, kWrong = 1;
constexpr int kReplicasMax = 32'767;  // Kafka's number of replicas has 16 bits

struct Arguments {
  service::KafkaArguments kafka;
  std::optional<std::uint16_t> partitions;
  int replication = -1;  // the brokers'
  bool create = false, check = false, json = false;
};

struct Row {
  std::string name, kind, key;
  std::uint16_t partitions = 0;  // 0: the topic is missing
  std::vector<std::string> wrong;
};

int cannot_ask(const Error& error) {
  service::complain("topics: " + error.message);
  return error.code == ErrorCode::invalid_input ? service::kUsage : service::kCannotRun;
}

std::string hint_to_create(const Arguments& arguments) {
  return "hint: granary topics --create --brokers " + arguments.kafka.brokers;
}

void print_json(const std::vector<Row>& rows, const std::optional<runtime::Ledger>& ledger) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  if (ledger) out.member("ledger", to_hex(view_of(ledger->id))).member("partitions", ledger->partitions);
  out.name("topics").begin_array();
  for (const Row& row : rows) {
    out.begin_object().member("name", row.name).member("kind", row.kind).member("key", row.key);
    out.member("partitions", row.partitions).name("wrong").begin_array();
    for (const std::string& what : row.wrong) out.value(what);
    out.end_array().end_object();
  }
  out.end_array().end_object();
  std::puts(text.c_str());
}

void print_table(const std::vector<Row>& rows, const std::optional<runtime::Ledger>& ledger) {
  Table table({"topic", "kind", "key", "partitions", "state"});
  for (const Row& row : rows)
    table.add({row.name, row.kind, row.key, std::to_string(row.partitions), row.wrong.empty() ? "good" : "wrong"});
  table.print(stdout);
  if (ledger)
    std::puts(fmt::format("ledger {} of {} partitions", to_hex(view_of(ledger->id)), ledger->partitions).c_str());
}

// A row for each topic of a ledger, in the order of machine::kTopics.
std::vector<Row> rows_of(const std::vector<journal::TopicInfo>& found) {
  std::vector<Row> rows;
  for (const Topic topic : machine::kTopics) {
    Row row{std::string(machine::topic_name(topic)),
            machine::is_inbox(topic)    ? "inbox"
            : machine::is_stream(topic) ? "stream"
                                        : "checkpoints",
            std::string(machine::topic_key(topic)),
            0,
            {}};
    for (const journal::TopicInfo& one : found)
      if (one.name == row.name) row.partitions = one.partitions;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> present_of(const std::vector<Row>& rows) {
  std::vector<std::string> present;
  for (const Row& row : rows)
    if (row.partitions > 0) present.push_back(row.name);
  return present;
}

// Notes in each row what is wrong with its topic; whether nothing is.
bool judge(std::vector<Row>& rows, const std::optional<runtime::Ledger>& ledger,
           const std::vector<TopicSetting>& wrong_settings, const Arguments& arguments) {
  bool well = true;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Row& row = rows[i];
    const Topic topic = machine::kTopics[i];
    if (row.partitions == 0)
      row.wrong.push_back("missing; " + hint_to_create(arguments));
    else if (ledger && row.partitions != machine::partitions_of(topic, ledger->partitions))
      row.wrong.push_back(
          fmt::format("expected {} partitions; hint: the number never changes: this is another ledger's topic",
                      machine::partitions_of(topic, ledger->partitions)));
    for (const TopicSetting& setting : wrong_settings)
      if (setting.topic == row.name)
        row.wrong.push_back(fmt::format("expected {}={}, got {}; hint: {}", setting.name, setting.wanted, setting.found,
                                        service::mending_command(setting, arguments.kafka.brokers)));
    well = well && row.wrong.empty();
  }
  return well;
}

int topics(const Arguments& arguments) {
  auto options = service::kafka_options(arguments.kafka);
  if (!options.ok()) return cannot_ask(options.error());
  options->replication = arguments.replication;
  auto journal = journal::open_kafka_journal(*options);
  if (!journal.ok()) return cannot_ask(journal.error());
  std::optional<runtime::Ledger> ledger;
  if (arguments.create) {
    const auto made = runtime::open_ledger(**journal, {arguments.partitions}, system_clock());
    if (!made.ok()) return cannot_ask(made.error());
    ledger = *made;
  }
  const auto found = (*journal)->topics();
  if (!found.ok()) return cannot_ask(found.error());
  std::vector<Row> rows = rows_of(*found);
  const std::vector<std::string> present = present_of(rows);
  if (!ledger && rows.front().partitions > 0)
    if (const auto read = runtime::read_ledger(**journal); read.ok()) ledger = *read;
  const auto wrong = journal::wrong_topic_settings(*options, present);
  if (!wrong.ok()) return cannot_ask(wrong.error());
  const auto whole =
      ledger && present.size() == rows.size() ? runtime::check_ledger(**journal, *ledger) : Result<void>();
  const bool well = judge(rows, ledger, *wrong, arguments) && ledger.has_value() && whole.ok();
  if (arguments.json)
    print_json(rows, ledger);
  else if (!arguments.check)
    print_table(rows, ledger);
  if (!arguments.json)
    for (const Row& row : rows)
      for (const std::string& what : row.wrong) service::complain(fmt::format("topic {}: {}", row.name, what));
  if (!whole.ok()) service::complain(whole.error().message);
  if (!ledger && !arguments.json)
    service::complain(fmt::format("there is no ledger at {}; {}", arguments.kafka.brokers, hint_to_create(arguments)));
  return well ? kWell : kWrong;
}

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  service::add_kafka_options(command, arguments->kafka, "Kafka's brokers: HOST:PORT,HOST:PORT")->required();
  command.add_flag("--create", arguments->create, "Make what is missing, with the ledger's first records");
  command.add_flag("--check", arguments->check, "Print only what is missing or set wrongly, with what mends it");
  service::add_partitions(command, arguments->partitions);
  command.add_option("--replication", arguments->replication, "Replicas of new topics (default: the brokers')")
      ->check(CLI::Range(1, kReplicasMax));
  add_json(command, arguments->json);
  command.footer("Exit codes: 0 all is well, 1 a topic is missing or set wrongly, 2 usage, 3 cannot ask.");
  return [arguments] { return topics(*arguments); };
}

const Registered registered({Users::operators, "topics",
                             "The topics of a ledger in Kafka: make them, check them, list them", declare});

}  // namespace
}  // namespace granary::cli
