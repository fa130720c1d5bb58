// schemas/topics.yaml says of each topic what the code does.
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "shared/journal/journal.h"
#include "shared/machine/topology.h"
#include "tests/unit/events/worked_example.h"

namespace granary::machine {
namespace {

using Block = std::map<std::string, std::string>;

// The list of the file: a block a "- name:", of lines "key: value".
std::map<std::string, Block> topics_of(const std::string& text) {
  std::map<std::string, Block> topics;
  Block* block = nullptr;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t start = line.find_first_not_of(" -");
    const std::size_t colon = line.find(": ");
    if (start == std::string::npos || line[start] == '#' || colon == std::string::npos) continue;
    const std::string key = line.substr(start, colon - start);
    std::string value = line.substr(colon + 2);
    std::erase(value, '"');
    if (key == "name") block = &topics[value];
    if (block != nullptr) (*block)[key] = value;
  }
  return topics;
}

TEST(TopicsFile, SaysWhatTheCodeDoes) {
  const std::string text = events::testing::file_text("schemas/topics.yaml");
  auto topics = topics_of(text);
  EXPECT_NE(text.find("record_bytes_max: " + std::to_string(journal::kRecordBytesMax) + "\n"), std::string::npos);
  for (const Topic topic : kTopics) {
    const std::string name(topic_name(topic));
    ASSERT_TRUE(topics.contains(name)) << name;
    Block& block = topics[name];
    const std::string& partitions = block["partitions"];
    for (const std::uint16_t p : {1, 8, 100}) {
      const int expected = partitions == "1" ? 1 : partitions == "P" ? p : partitions == "1+3P" ? 1 + 3 * p : -1;
      EXPECT_EQ(partitions_of(topic, p), expected) << name << ": " << partitions;
    }
    EXPECT_EQ(block["kind"], is_inbox(topic) ? "inbox" : is_stream(topic) ? "stream" : "checkpoints") << name;
    EXPECT_EQ(block["key"], "[" + std::string(topic_key(topic)) + "]") << name;
    for (const MachineKind writer : writers_of(topic))
      EXPECT_NE(block["filled_by"].find(machine_name(writer)), std::string::npos)
          << name << " " << machine_name(writer);
    if (is_inbox(topic)) {
      EXPECT_EQ(block["folded_by"], machine_name(reader_of(topic))) << name;
    }
  }
  EXPECT_EQ(topics.size(), kTopics.size());
}

// The order within `rejected`: intake, then metering, allocation, billing.
TEST(TopicsFile, OrdersTheRejectedPartitions) {
  int next = 0;
  for (const MachineKind machine : kMachines)
    for (std::uint16_t shard = 0; shard < shards_of(machine, 8); ++shard)
      EXPECT_EQ(shard_partition(machine, shard, 8), next++);
  EXPECT_EQ(next, partitions_of(Topic::rejected, 8));
}

}  // namespace
}  // namespace granary::machine
