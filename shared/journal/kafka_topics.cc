#include "shared/journal/kafka_topics.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <memory>

namespace granary::journal {
namespace {

// In which brokers answer a request about topics; a command waits for it.
constexpr int kAnswerMs = 15'000;
constexpr std::int64_t kBatchBytesMin = 1'000'000;  // of the producer's requests (message.max.bytes)

// What a log is made with. LogAppendTime, so that no clock of ours can make a broker refuse a record.
constexpr std::array<std::pair<const char*, const char*>, 6> kSettings{{{"cleanup.policy", "delete"},
                                                                        {"retention.ms", "-1"},
                                                                        {"retention.bytes", "-1"},
                                                                        {"max.message.bytes", "1048588"},
                                                                        {"message.timestamp.type", "LogAppendTime"},
                                                                        {"unclean.leader.election.enable", "false"}}};

using Event = std::unique_ptr<rd_kafka_event_t, KafkaDestroy<rd_kafka_event_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, KafkaDestroy<rd_kafka_AdminOptions_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, KafkaDestroy<rd_kafka_NewTopic_destroy>>;
using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, KafkaDestroy<rd_kafka_ConfigResource_destroy>>;

AdminOptions options_for(rd_kafka_t* client, rd_kafka_admin_op_t operation) {
  AdminOptions options(rd_kafka_AdminOptions_new(client, operation));
  std::array<char, 128> why{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kAnswerMs, why.data(), why.size());
  return options;
}

Result<Event> answer_of(rd_kafka_queue_t* queue, const std::string& what) {
  // The client itself reports a timeout after kAnswerMs; a little later it has certainly answered.
  Event event(rd_kafka_queue_poll(queue, kAnswerMs + 5'000));
  if (!event)
    return Error{ErrorCode::unavailable,
                 fmt::format("expected to {}, but no broker answers; hint: check that the brokers run", what)};
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return kafka_error(code, "the cluster", what + " on");
  return event;
}

bool is_wrong(const std::string& name, const std::string& wanted, const std::string& found) {
  if (name != "max.message.bytes") return wanted != found;
  std::int64_t bytes = 0;
  std::from_chars(found.data(), found.data() + found.size(), bytes);
  return bytes < kBatchBytesMin;
}

}  // namespace

Result<std::map<std::string, std::uint16_t, std::less<>>> kafka_topics(rd_kafka_t* client) {
  const rd_kafka_metadata_t* metadata = nullptr;
  if (const auto code = rd_kafka_metadata(client, 1, nullptr, &metadata, kAnswerMs); code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return kafka_error(code, "the brokers", "list the topics of");
  const std::unique_ptr<const rd_kafka_metadata_t, KafkaDestroy<rd_kafka_metadata_destroy>> owned(metadata);
  std::map<std::string, std::uint16_t, std::less<>> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = metadata->topics[i];
    const std::string_view name = topic.topic;
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR && topic.partition_cnt > 0 && !name.starts_with("__"))
      topics.emplace(name, static_cast<std::uint16_t>(topic.partition_cnt));
  }
  return topics;
}

Result<void> make_kafka_topic(rd_kafka_t* client, const TopicInfo& topic, int replication) {
  std::array<char, 512> why{};
  const NewTopic wanted(
      rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, replication, why.data(), why.size()));
  if (!wanted)
    return Error{ErrorCode::invalid_input,
                 fmt::format("expected a topic that Kafka can make, got {}: {}", topic.name, why.data())};
  for (const auto& [name, value] : kSettings) rd_kafka_NewTopic_set_config(wanted.get(), name, value);
  if (replication >= 3) rd_kafka_NewTopic_set_config(wanted.get(), "min.insync.replicas", "2");
  const KafkaQueue queue(rd_kafka_queue_new(client));
  rd_kafka_NewTopic_t* topics[] = {wanted.get()};
  rd_kafka_CreateTopics(client, topics, 1, options_for(client, RD_KAFKA_ADMIN_OP_CREATETOPICS).get(), queue.get());
  const auto event = answer_of(queue.get(), "make topic " + topic.name);
  if (!event.ok()) return event.error();
  std::size_t count = 0;
  const auto* const* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    Error error = kafka_error(code, "topic " + topic.name, "make");
    if (text != nullptr) error.message += std::string("; the broker says: ") + text;
    return error;
  }
  return {};
}

Result<std::vector<TopicSetting>> wrong_kafka_settings(rd_kafka_t* client, const std::vector<std::string>& topics) {
  if (topics.empty()) return std::vector<TopicSetting>();
  std::vector<ConfigResource> resources;
  std::vector<rd_kafka_ConfigResource_t*> asked;
  for (const std::string& topic : topics) {
    resources.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    asked.push_back(resources.back().get());
  }
  const KafkaQueue queue(rd_kafka_queue_new(client));
  rd_kafka_DescribeConfigs(client, asked.data(), asked.size(),
                           options_for(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS).get(), queue.get());
  const auto event = answer_of(queue.get(), "read the settings of the topics");
  if (!event.ok()) return event.error();
  std::size_t count = 0;
  const auto* const* results =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  std::vector<TopicSetting> wrong;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string topic = rd_kafka_ConfigResource_name(results[i]);
    if (const auto code = rd_kafka_ConfigResource_error(results[i]); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return kafka_error(code, topic, "read the settings of");
    std::size_t entries = 0;
    const auto* const* configs = rd_kafka_ConfigResource_configs(results[i], &entries);
    for (std::size_t e = 0; e < entries; ++e) {
      const std::string name = rd_kafka_ConfigEntry_name(configs[e]);
      const char* value = rd_kafka_ConfigEntry_value(configs[e]);
      for (const auto& [setting, wanted] : kSettings)
        if (name == setting && is_wrong(name, wanted, value == nullptr ? "" : value))
          wrong.push_back({topic, name, wanted, value == nullptr ? "" : value});
    }
  }
  return wrong;
}

}  // namespace granary::journal
