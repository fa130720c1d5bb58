// The Kafka door against a broker that goes away: the one of tests/support/with_kafka.py, paused and resumed by its id.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include "shared/base/check.h"
#include "shared/journal/kafka_journal.h"

namespace granary::journal {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  GRANARY_CHECK(value != nullptr, "run this by tests/support/with_kafka.py");
  return value;
}

class BrokerAway : public testing::Test {
 protected:
  void SetUp() override {
    KafkaOptions options;
    options.brokers = variable("GRANARY_TEST_BROKERS");
    options.replication = 1;
    options.group = "granary";
    auto opened = open_kafka_journal(options);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    journal_ = std::move(*opened);
    const auto made = journal_->create_topic({partition_.topic, 1});
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  void TearDown() override { resume(); }
  void pause() { send(SIGSTOP); }
  void resume() { send(SIGCONT); }

  const Partition partition_{"away", 0};
  std::unique_ptr<Journal> journal_;

 private:
  static void send(int signal) { ASSERT_EQ(::kill(std::stoi(variable("GRANARY_TEST_BROKER_PID")), signal), 0); }
};

// What a lag tool asks for.
std::int64_t committed(const std::string& group, const Partition& partition) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", variable("GRANARY_TEST_BROKERS").c_str(), nullptr, 0);
  rd_kafka_conf_set(conf, "group.id", group.c_str(), nullptr, 0);
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, nullptr, 0);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  const auto* at = rd_kafka_topic_partition_list_add(list, partition.topic.c_str(), partition.number);
  EXPECT_EQ(rd_kafka_committed(client, list, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  const std::int64_t offset = at->offset;
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_destroy(client);
  return offset;
}

TEST_F(BrokerAway, LeavesTheOffsetsOfTheGroupForLagTools) {
  journal_->note_folded(partition_, 7);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (committed("granary", partition_) != 7) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
}

// librdkafka would wait for the group's coordinator, which may be away for long or for ever.
TEST_F(BrokerAway, ClosesThoughNobodyTakesTheOffsetsOfTheGroup) {
  std::vector<Record> records(1);
  records.front().value = "a record";
  ASSERT_TRUE(append_and_wait(*journal_, partition_, std::move(records)).ok());
  ReadBatch batch;
  ASSERT_TRUE(journal_->read(partition_, 0, 1 << 20, batch).ok());
  pause();
  journal_->note_folded(partition_, 1);
  const auto started = std::chrono::steady_clock::now();
  journal_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
}

}  // namespace
}  // namespace granary::journal
