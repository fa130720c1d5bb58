// Making and judging topics over Kafka's admin protocol. Inside shared/journal only. Any thread; each call asks the
// brokers and waits for the answer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "shared/journal/kafka_client.h"

namespace granary::journal {

// All topics but the brokers' own, with their numbers of partitions. Errors: unavailable.
Result<std::map<std::string, std::uint16_t, std::less<>>> kafka_topics(rd_kafka_t* client);

// Makes a topic that keeps everything for ever. If there is one of that name, that is no error here. Errors: those of
// brokers.
Result<void> make_kafka_topic(rd_kafka_t* client, const TopicInfo& topic, int replication);

Result<std::vector<TopicSetting>> wrong_kafka_settings(rd_kafka_t* client, const std::vector<std::string>& topics);

}  // namespace granary::journal
