#include "shared/journal/append_rules.h"

namespace granary::journal {
namespace {

std::string name_of(const Partition& partition) {
  return partition.topic + "/" + std::to_string(partition.number);
}

}  // namespace

Result<void> check_topic(const TopicInfo& topic) {
  if (topic.name.empty() || topic.name.size() > 249 || topic.partitions == 0)  // 249: what Kafka takes
    return Error{ErrorCode::invalid_input,
                 "expected a topic with a name of 1 to 249 bytes and at least one partition, got '" + topic.name +
                     "' with " + std::to_string(topic.partitions) + "; hint: check the list of topics"};
  return {};
}

Result<void> check_same_topic(const TopicInfo& topic, std::size_t partitions) {
  if (topic.partitions != partitions)
    return Error{ErrorCode::conflict,
                 "expected topic " + topic.name + " with " + std::to_string(topic.partitions) +
                     " partitions, but it has " + std::to_string(partitions) +
                     "; hint: a ledger's number of partitions never changes, start with the one it was created with"};
  return {};
}

Result<std::size_t> check_records(const std::vector<Record>& records) {
  if (records.empty())
    return Error{ErrorCode::invalid_input,
                 "expected at least one record, got an empty list; hint: do not call append() without records"};
  std::size_t bytes = 0;
  for (const Record& record : records) {
    if (record.value.size() > kRecordBytesMax)
      return Error{ErrorCode::invalid_input, "expected a record of at most " + std::to_string(kRecordBytesMax) +
                                                 " bytes, got " + std::to_string(record.value.size()) +
                                                 "; hint: cut it into parts; nothing of this append was written"};
    bytes += record.value.size();
  }
  return bytes;
}

Error unknown_topic(const Partition& partition) {
  return {ErrorCode::not_found, "expected a known topic, got " + name_of(partition) + "; hint: create the topic first"};
}

Error unknown_partition(const Partition& partition, std::size_t partitions) {
  return {ErrorCode::not_found, "expected a partition below " + std::to_string(partitions) + ", got " +
                                    name_of(partition) + "; hint: the number of partitions is fixed at creation"};
}

Error read_beyond_end(const Partition& partition, Offset from, Offset end) {
  return {ErrorCode::conflict, "expected " + name_of(partition) + " to hold at least " + std::to_string(from) +
                                   " records, but it holds " + std::to_string(end) +
                                   "; hint: the log is shorter than it was, or it is another log: do not go on, restore"
                                   " it"};
}

}  // namespace granary::journal
