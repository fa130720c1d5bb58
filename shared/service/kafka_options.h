// From flags to the Kafka door's options, and the check of the topics that every start makes. One thread.
#pragma once

#include <string>
#include <vector>

#include "shared/journal/kafka_journal.h"

namespace granary::service {

// `pairs` are KEY=VALUE; `file` (may be empty) is read first. Errors: invalid_input, not_found.
Result<journal::KafkaOptions> kafka_options(const std::string& brokers, const std::vector<std::string>& pairs,
                                            const std::string& file);

// The topics of a ledger that stand with settings that would lose or change records: an error that names the first,
// how many more there are, and the command that mends it. not_found: a topic is missing.
Result<void> check_topics(const journal::KafkaOptions& options, const std::vector<std::string>& topics);
// Kafka's own command that sets it right.
std::string mending_command(const journal::TopicSetting& setting, const std::string& brokers);

// All topics of a ledger.
std::vector<std::string> topic_names();

}  // namespace granary::service
