// The log in Apache Kafka, by librdkafka: topics with explicit partitions, no retention limit, no compaction; no
// transactions, so that offsets are dense and a hole is an alarm.
//
// What it promises beside the laws of the port (settings and reasons: kafka_writer.cc, kafka_reader.cc):
//  - appends go through an idempotent producer that waits for all replicas and never gives up. A delivery error ends
//    that producer; the next append gets a new one, after everything of the old one is answered.
//  - while no broker answers, appends wait (up to KafkaOptions::queue_bytes_max, then `unavailable`), reads answer
//    `unavailable`, and both go on when it is back.
//  - a partition that ends before what was read or acknowledged, or that holds another record where one was read, is
//    `corrupt`: a truncated or recreated topic. librdkafka 2.0.2 does not see either; so after every broken connection
//    the last record read is read again and compared.
//
// Threads: as the port; `done` and the listener run on librdkafka's threads and the writer's own, and `done` of an
// append that is refused at once on the caller's. The destructor answers what waits with `unavailable`.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shared/journal/journal.h"

namespace granary::journal {

struct KafkaOptions {
  std::string brokers;  // "host:port,host:port"
  // librdkafka's settings beyond Granary's own (TLS, SASL, timeouts): key and value. Never printed.
  std::vector<std::pair<std::string, std::string>> settings;
  // The number of replicas of topics that are made; -1: the brokers' default.
  int replication = -1;
  // The consumer group under which note_folded() writes its offsets for lag tools; empty: it writes none.
  std::string group;
  // The memory that appends may hold while they wait.
  std::size_t queue_bytes_max = 256U << 20;
};

// Connects and asks for the topics that exist. Errors: invalid_input (settings), unavailable (no broker answers).
Result<std::unique_ptr<Journal>> open_kafka_journal(const KafkaOptions& options);

// How a topic's settings have to be, and what they are; see schemas/topics.yaml.
struct TopicSetting {
  std::string topic, name, wanted, found;
};
// The settings of these topics that would lose or change records; empty: all is well. Errors: not_found (a topic does
// not exist), unavailable.
Result<std::vector<TopicSetting>> wrong_topic_settings(const KafkaOptions& options,
                                                       const std::vector<std::string>& topics);

// Reads librdkafka settings from a file of KEY=VALUE lines; `#` begins a comment. Errors: not_found, invalid_input.
Result<std::vector<std::pair<std::string, std::string>>> read_kafka_settings(const std::string& path);

}  // namespace granary::journal
