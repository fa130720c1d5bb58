// The producing side of the Kafka door. Inside shared/journal only.
//
// Threads: append() from any; `done` and `grown` on the writer's thread, one at a time, in the order of the partition.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "shared/journal/kafka_client.h"

namespace granary::journal {

class KafkaWriter {
 public:
  // Called before the `done` of an append that is stored, with the end of the partition that follows from it.
  using Grown = std::function<void(const Partition&, Offset end)>;

  KafkaWriter(KafkaOptions options, Grown grown);
  ~KafkaWriter();  // finish(0)
  KafkaWriter(const KafkaWriter&) = delete;
  KafkaWriter& operator=(const KafkaWriter&) = delete;

  // Opens the first producer. Errors: settings.
  Result<void> start();
  // `records` have passed check_records, the partition is there.
  void append(const Partition& partition, std::vector<Record> records, std::size_t bytes, Journal::AppendDone done);
  // Waits up to `patience` for the appends that are on their way, then answers the rest and all later ones with
  // `unavailable`.
  void finish(std::chrono::milliseconds patience);

 private:
  // One append on its way.
  struct Waiting {
    Partition partition;
    Offsets offsets;
    std::size_t left = 0;
    std::size_t bytes = 0;
    std::optional<Error> error;
    Journal::AppendDone done;
  };

  static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque);
  void answered(const rd_kafka_message_t& message);
  Result<KafkaHandle> open_producer();
  rd_kafka_topic_t* topic(const std::string& name);
  // Hands the records over; mutex_ is held. Not empty: none was taken and nothing will be reported, so the caller
  // answers with the error in it.
  std::unique_ptr<Waiting> produce(std::unique_ptr<Waiting> waiting, const std::vector<Record>& records);
  void run();

  const KafkaOptions options_;
  const Grown grown_;

  // Held while an append is handed to the producer, so that appends do not mix, and while producers change.
  std::mutex mutex_;
  std::condition_variable changed_;
  KafkaHandle producer_;
  std::map<std::string, KafkaTopic, std::less<>> topics_;  // of producer_
  bool broken_ = false;                                    // a delivery failed: producer_ takes no more
  bool finished_ = false;
  std::size_t appends_ = 0;           // on their way
  std::size_t bytes_ = 0;             // of them
  std::map<Partition, Offset> ends_;  // the writer's thread only: after what was acknowledged last

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace granary::journal
