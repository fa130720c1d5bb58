#include "services/cli/topics_command.h"

#include <cstdio>

#include "services/cli/table.h"
#include "shared/base/clock.h"
#include "shared/json/writer.h"
#include "shared/ledger/ledger.h"
#include "shared/machine/topology.h"
#include "shared/service/kafka_options.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

using journal::TopicSetting;
using machine::Topic;

constexpr int kWell = 0, kWrong = 1;

struct Row {
  std::string name, kind, key;
  std::uint16_t partitions = 0;  // that stand; 0: the topic is missing
  std::vector<std::string> wrong;
};

int cannot_ask(const Error& error) {
  service::complain("topics: " + error.message);
  return error.code == ErrorCode::invalid_input ? service::kUsage : service::kCannotRun;
}

void print_json(const std::vector<Row>& rows, const std::optional<runtime::Ledger>& ledger) {
  std::string out = "{";
  if (ledger)
    out +=
        "\"ledger\":\"" + to_hex(view_of(ledger->id)) + "\",\"partitions\":" + std::to_string(ledger->partitions) + ",";
  out += "\"topics\":[";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) out += ',';
    out += "{\"name\":\"" + rows[i].name + "\",\"kind\":\"" + rows[i].kind + "\",\"key\":\"" + rows[i].key +
           "\",\"partitions\":" + std::to_string(rows[i].partitions) + ",\"wrong\":[";
    for (std::size_t w = 0; w < rows[i].wrong.size(); ++w) {
      if (w > 0) out += ',';
      json::append_json_string(out, rows[i].wrong[w]);
    }
    out += "]}";
  }
  std::puts((out + "]}").c_str());
}

}  // namespace

int topics(const TopicsArguments& arguments) {
  auto options = service::kafka_options(arguments.brokers, arguments.kafka, arguments.kafka_file);
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
  const auto standing = (*journal)->topics();
  if (!standing.ok()) return cannot_ask(standing.error());
  std::vector<Row> rows;
  std::vector<std::string> present;
  for (const Topic topic : machine::kTopics) {
    Row row{std::string(machine::topic_name(topic)),
            machine::is_inbox(topic)    ? "inbox"
            : machine::is_stream(topic) ? "stream"
                                        : "checkpoints",
            std::string(machine::topic_key(topic)),
            0,
            {}};
    for (const journal::TopicInfo& one : *standing)
      if (one.name == row.name) row.partitions = one.partitions;
    if (row.partitions > 0) present.push_back(row.name);
    rows.push_back(std::move(row));
  }
  if (!ledger && rows.front().partitions > 0) {
    const auto found = runtime::read_ledger(**journal);
    if (found.ok()) ledger = *found;
  }
  const auto wrong = journal::wrong_topic_settings(*options, present);
  if (!wrong.ok()) return cannot_ask(wrong.error());
  const auto whole =
      ledger && present.size() == rows.size() ? runtime::check_ledger(**journal, *ledger) : Result<void>();
  bool well = ledger.has_value() && whole.ok();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Row& row = rows[i];
    const Topic topic = machine::kTopics[i];
    if (row.partitions == 0)
      row.wrong.push_back("missing; hint: granary topics --create --brokers " + arguments.brokers);
    else if (ledger && row.partitions != machine::partitions_of(topic, ledger->partitions))
      row.wrong.push_back("expected " + std::to_string(machine::partitions_of(topic, ledger->partitions)) +
                          " partitions; hint: the number never changes: this is another ledger's topic");
    for (const TopicSetting& setting : *wrong)
      if (setting.topic == row.name)
        row.wrong.push_back("expected " + setting.name + "=" + setting.wanted + ", got " + setting.found +
                            "; hint: " + service::mending_command(setting, arguments.brokers));
    well = well && row.wrong.empty();
  }
  if (arguments.json) {
    print_json(rows, ledger);
  } else if (!arguments.check) {
    Table table({"topic", "kind", "key", "partitions", "state"});
    for (const Row& row : rows)
      table.add({row.name, row.kind, row.key, std::to_string(row.partitions), row.wrong.empty() ? "good" : "wrong"});
    table.print(stdout);
    if (ledger)
      std::printf("ledger %s of %u partitions\n", to_hex(view_of(ledger->id)).c_str(),
                  static_cast<unsigned>(ledger->partitions));
  }
  if (!arguments.json)
    for (const Row& row : rows)
      for (const std::string& what : row.wrong) service::complain("topic " + row.name + ": " + what);
  if (!whole.ok()) service::complain(whole.error().message);
  if (!ledger && !arguments.json)
    service::complain("there is no ledger at " + arguments.brokers + "; hint: granary topics --create --brokers " +
                      arguments.brokers);
  return well ? kWell : kWrong;
}

}  // namespace granary::cli
