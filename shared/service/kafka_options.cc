#include "shared/service/kafka_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/http/uri.h"
#include "shared/machine/topology.h"

namespace granary::service {

Result<journal::KafkaOptions> kafka_options(const KafkaArguments& arguments) {
  journal::KafkaOptions options;
  options.brokers = arguments.brokers;
  options.group = "granary";
  if (!arguments.kafka_file.empty()) {
    auto settings = journal::read_kafka_settings(arguments.kafka_file);
    if (!settings.ok()) return settings.error();
    options.settings = std::move(*settings);
  }
  for (const std::string& pair : arguments.kafka) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{ErrorCode::invalid_input,
                   "--kafka: expected KEY=VALUE, got a text without `=`; hint: --kafka security.protocol=ssl"};
    options.settings.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return options;
}

Result<void> check_brokers(const std::string& text) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    std::string one = text.substr(at, comma - at);
    one.erase(0, one.find_first_not_of(' '));
    if (const auto scheme = one.find("://"); scheme != std::string::npos) one.erase(0, scheme + 3);
    if (const auto parsed = http::parse_url("http://" + one); !parsed.ok() || !parsed->path.empty())
      return Error{ErrorCode::invalid_input,
                   fmt::format("expected HOST:PORT,HOST:PORT, got \"{}\"; hint: localhost:9092", text)};
    at = comma + 1;
  }
  return {};
}

std::string mending_command(const journal::TopicSetting& setting, const std::string& brokers) {
  return fmt::format(
      "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {} --add-config {}={}",
      brokers, setting.topic, setting.name, setting.wanted);
}

Result<void> check_topics(const journal::KafkaOptions& options, const journal::Journal& journal,
                          const runtime::Ledger& ledger) {
  const std::string check = "granary topics --check --brokers " + options.brokers;
  const auto topics = journal.topics();
  if (!topics.ok()) return topics.error();
  std::vector<std::string> names;
  for (const machine::Topic topic : machine::kTopics) {
    const std::string& name = names.emplace_back(machine::topic_name(topic));
    const auto found = std::find_if(topics->begin(), topics->end(),
                                    [&name](const journal::TopicInfo& one) { return one.name == name; });
    if (found == topics->end())
      return Error{ErrorCode::not_found,
                   fmt::format("expected topic {0} at {1}, found none; hint: if it ever held records, restore it; else "
                               "make it: granary topics --create --brokers {1}",
                               name, options.brokers)};
    const std::uint16_t wanted = machine::partitions_of(topic, ledger.partitions);
    if (found->partitions != wanted)
      return Error{ErrorCode::conflict,
                   fmt::format("expected topic {} with {} partitions, got {}: the number never changes in a ledger; "
                               "hint: restore the topic as it was; what is wrong: {}",
                               name, wanted, found->partitions, check)};
  }
  if (const auto whole = runtime::check_ledger(journal, ledger); !whole.ok())
    return Error{whole.error().code, fmt::format("{}; what is there: {}", whole.error().message, check)};
  const auto wrong = journal::wrong_topic_settings(options, names);
  if (!wrong.ok()) return wrong.error();
  if (wrong->empty()) return {};
  const journal::TopicSetting& first = wrong->front();
  const std::string more = wrong->size() > 1 ? fmt::format(" (and {} more: {})", wrong->size() - 1, check) : "";
  return Error{
      ErrorCode::conflict,
      fmt::format("expected topic {} with {}={}, got {}{}: records would be lost or changed; hint: {}", first.topic,
                  first.name, first.wanted, first.found, more, mending_command(first, options.brokers))};
}

}  // namespace granary::service
