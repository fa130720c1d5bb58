#include "shared/journal/append_rules.h"

#include <fmt/format.h>

namespace granary::journal {
namespace {

std::string name_of(const Partition& partition) {
  return fmt::format("{}/{}", partition.topic, partition.number);
}

}  // namespace

Result<void> check_topic(const TopicInfo& topic) {
  if (topic.name.empty() || topic.name.size() > 249 || topic.partitions == 0)  // 249: what Kafka takes
    return Error{ErrorCode::invalid_input,
                 fmt::format("expected a topic with a name of 1 to 249 bytes and at least one partition, got '{}' with "
                             "{}; hint: check the list of topics",
                             topic.name, topic.partitions)};
  return {};
}

Result<void> check_same_topic(const TopicInfo& topic, std::size_t partitions) {
  if (topic.partitions != partitions)
    return Error{ErrorCode::conflict,
                 fmt::format("expected topic {} with {} partitions, but it has {}; hint: a ledger's number of "
                             "partitions never changes, start with the one it was created with",
                             topic.name, topic.partitions, partitions)};
  return {};
}

Result<std::size_t> check_records(const std::vector<Record>& records) {
  if (records.empty())
    return Error{ErrorCode::invalid_input,
                 "expected at least one record, got an empty list; hint: do not call append() without records"};
  std::size_t bytes = 0;
  for (const Record& record : records) {
    if (record.value.size() > kRecordBytesMax)
      return Error{ErrorCode::invalid_input, fmt::format("expected a record of at most {} bytes, got {}; hint: cut it "
                                                         "into parts; nothing of this append was written",
                                                         kRecordBytesMax, record.value.size())};
    bytes += record.value.size();
  }
  return bytes;
}

Error unknown_topic(const Partition& partition) {
  return {ErrorCode::not_found,
          fmt::format("expected a known topic, got {}; hint: create the topic first", name_of(partition))};
}

Error unknown_partition(const Partition& partition, std::size_t partitions) {
  return {ErrorCode::not_found,
          fmt::format("expected a partition below {}, got {}; hint: the number of partitions is fixed at creation",
                      partitions, name_of(partition))};
}

Error read_beyond_end(const Partition& partition, Offset from, Offset end) {
  return {ErrorCode::conflict, fmt::format("expected {} to hold at least {} records, but it holds {}; hint: the log is "
                                           "shorter than it was, or it is another log: do not go on, restore it",
                                           name_of(partition), from, end)};
}

}  // namespace granary::journal
