// From flags to the Kafka door's options, and the check of the topics that every start makes. One thread.
#pragma once

#include <string>
#include <vector>

#include "shared/journal/kafka_journal.h"
#include "shared/ledger/ledger.h"

namespace granary::service {

// What a command line says of Kafka: --brokers, --kafka, --kafka-file.
struct KafkaArguments {
  std::string brokers;             // empty: no Kafka
  std::vector<std::string> kafka;  // librdkafka's settings as KEY=VALUE
  std::string kafka_file;          // more of them, a line each; what `kafka` says wins
};

// Errors: invalid_input, not_found.
Result<journal::KafkaOptions> kafka_options(const KafkaArguments& arguments);

// "HOST:PORT,HOST:PORT", as librdkafka takes it: also without a port, and an IPv6 address in brackets. Errors:
// invalid_input.
Result<void> check_brokers(const std::string& text);

// Whether all topics of a ledger exist, with its number of partitions and its genesis records, and with settings under
// which no record is lost or changed: an error that names the first that is wrong, and the command that mends it.
Result<void> check_topics(const journal::KafkaOptions& options, const journal::Journal& journal,
                          const runtime::Ledger& ledger);
// Kafka's own command that sets it right.
std::string mending_command(const journal::TopicSetting& setting, const std::string& brokers);

}  // namespace granary::service
