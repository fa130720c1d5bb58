// The corpus over Kafka, each ledger in topics of its own at the real broker that GRANARY_TEST_BROKERS names (started
// around this program by tests/support/with_kafka.py). State lies in memory.
#include "shared/journal/kafka_journal.h"
#include "tests/scenario/log_door.h"
#include "tests/scenario/scenario_suite.h"
#include "tests/scenario/strays.h"

namespace granary::scenario {
namespace {

Ledger::Options over_kafka() {
  const char* brokers = std::getenv("GRANARY_TEST_BROKERS");
  GRANARY_CHECK(brokers != nullptr, "GRANARY_TEST_BROKERS names no broker: run this by tests/support/with_kafka.py");
  journal::KafkaOptions kafka;
  kafka.brokers = brokers;
  kafka.replication = 1;
  static int number = 0;
  const std::string prefix = "ledger-" + std::to_string(++number) + ".";
  Ledger::Options options;
  options.open_journal = [kafka, prefix]() -> std::shared_ptr<journal::Journal> {
    auto opened = journal::open_kafka_journal(kafka);
    GRANARY_CHECK(opened.ok(), opened.error().message);
    return std::make_shared<LogDoor>(std::move(*opened), LogDoor::Options{prefix});
  };
  return options;
}

// Once a restart with its state, then one without.
void restart_twice(Ledger& ledger, std::size_t done, std::size_t all) {
  if (done != all / 3 && done != all * 2 / 3) return;
  ledger.stop();
  if (done == all * 2 / 3)
    for (const ShardName& shard : ledger.shards()) ledger.delete_state(shard);
  ledger.start();
}

INSTANTIATE_TEST_SUITE_P(Text, Scenario, each_file_under({{"kafka", over_kafka, restart_twice}}), case_name);

INSTANTIATE_TEST_SUITE_P(Over, Strays, ::testing::Values(JournalKind{"kafka", over_kafka}), journal_name);

}  // namespace
}  // namespace granary::scenario
