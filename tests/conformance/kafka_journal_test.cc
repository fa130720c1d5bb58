// The suite of the log's port over Kafka, against the real broker that GRANARY_TEST_BROKERS names (started around this
// program by tests/support/with_kafka.py).
#include <cstdlib>

#include "shared/base/check.h"
#include "shared/journal/kafka_journal.h"
#include "tests/conformance/journal_suite.h"

namespace granary::journal {
namespace {

class KafkaUnderTest final : public JournalUnderTest {
 public:
  KafkaUnderTest() {
    const char* brokers = std::getenv("GRANARY_TEST_BROKERS");
    GRANARY_CHECK(brokers != nullptr, "GRANARY_TEST_BROKERS names no broker: run this by tests/support/with_kafka.py");
    options_.brokers = brokers;
    options_.replication = 1;
    static int number = 0;
    prefix_ = "test-" + std::to_string(++number) + ".";
    open();
  }
  Journal& journal() override { return *journal_; }
  void reopen() override {
    journal_.reset();
    open();
  }
  std::string prefix() override { return prefix_; }

 private:
  void open() {
    auto opened = open_kafka_journal(options_);
    GRANARY_CHECK(opened.ok(), opened.error().message);
    journal_ = std::move(*opened);
  }
  KafkaOptions options_;
  std::string prefix_;
  std::unique_ptr<Journal> journal_;
};

INSTANTIATE_TEST_SUITE_P(Doors, JournalConformance,
                         testing::Values(JournalDoor{"Kafka", [] { return std::make_unique<KafkaUnderTest>(); }}),
                         [](const auto& door) { return door.param.name; });

}  // namespace
}  // namespace granary::journal
