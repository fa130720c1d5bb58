#include "shared/service/kafka_options.h"

#include "shared/machine/topology.h"

namespace granary::service {

Result<journal::KafkaOptions> kafka_options(const std::string& brokers, const std::vector<std::string>& pairs,
                                            const std::string& file) {
  journal::KafkaOptions options;
  options.brokers = brokers;
  options.group = "granary";
  if (!file.empty()) {
    auto settings = journal::read_kafka_settings(file);
    if (!settings.ok()) return settings.error();
    options.settings = std::move(*settings);
  }
  for (const std::string& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{ErrorCode::invalid_input,
                   "--kafka: expected KEY=VALUE, got a text without `=`; hint: --kafka security.protocol=ssl"};
    options.settings.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return options;
}

std::vector<std::string> topic_names() {
  std::vector<std::string> names;
  for (const machine::Topic topic : machine::kTopics) names.emplace_back(machine::topic_name(topic));
  return names;
}

std::string mending_command(const journal::TopicSetting& setting, const std::string& brokers) {
  return "kafka-configs.sh --bootstrap-server " + brokers + " --alter --entity-type topics --entity-name " +
         setting.topic + " --add-config " + setting.name + "=" + setting.wanted;
}

Result<void> check_topics(const journal::KafkaOptions& options, const std::vector<std::string>& topics) {
  const auto wrong = journal::wrong_topic_settings(options, topics);
  if (!wrong.ok()) return wrong.error();
  if (wrong->empty()) return {};
  const journal::TopicSetting& first = wrong->front();
  return Error{
      ErrorCode::conflict,
      "expected topic " + first.topic + " with " + first.name + "=" + first.wanted + ", got " + first.found +
          (wrong->size() > 1 ? " (and " + std::to_string(wrong->size() - 1) + " more: granary topics --check)" : "") +
          ": records would be lost or changed; hint: " + mending_command(first, options.brokers)};
}

}  // namespace granary::service
