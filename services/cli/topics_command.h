// `granary topics`: makes, checks and lists the topics of a ledger in Kafka. Exit codes: 0 all is well, 1 a topic is
// missing or set wrongly, 2 usage, 3 cannot ask.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace granary::cli {

struct TopicsArguments {
  std::string brokers, kafka_file;
  std::vector<std::string> kafka;
  std::optional<std::uint16_t> partitions;
  int replication = -1;
  bool create = false, check = false, json = false;
};

int topics(const TopicsArguments& arguments);

}  // namespace granary::cli
