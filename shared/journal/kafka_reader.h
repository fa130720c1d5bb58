// The consuming side of the Kafka door: positions in partitions that read ahead. Inside shared/journal only.
//
// librdkafka's consumers follow a partition from one place; the port reads from any. So each partition has two readers,
// on two clients: a read goes to the one at its offset; if there is none, the one that was used longest ago moves
// there. A shard that follows its inbox and a page that is looked up beside it do not disturb each other.
//
// Threads: all functions from any thread; one read of a partition at a time. `grown` runs on librdkafka's threads.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "shared/journal/kafka_client.h"

namespace granary::journal {

class KafkaReaders {
 public:
  using Grown = std::function<void(const Partition&)>;

  KafkaReaders(KafkaOptions options, Grown grown);
  ~KafkaReaders();
  KafkaReaders(const KafkaReaders&) = delete;
  KafkaReaders& operator=(const KafkaReaders&) = delete;

  // Opens the clients. Errors: settings.
  Result<void> start();

  // As the port; the partition is known to be there.
  Result<void> read(const Partition& partition, Offset from, std::size_t bytes_max, ReadBatch& batch);
  // Asks the partition's leader. Errors: corrupt (the partition no longer begins at 0), not_found, unavailable.
  Result<Offset> end(const Partition& partition);
  // The partition is known to reach at least to `end`: reads wait for the records before it.
  void know_end(const Partition& partition, Offset end);
  // From now on nothing waits long for brokers that are away.
  void stop_waiting() { hurried_ = true; }

  // The client for questions. It reads no partition: its answers would wait for a fetch that waits for records.
  [[nodiscard]] rd_kafka_t* asking() const { return asking_.get(); }

 private:
  struct PartitionReads;
  struct ReadAhead;

  static void heard(rd_kafka_t*, int code, const char*, void* opaque);
  static void filled(rd_kafka_t*, void* reads);
  // The offset at a time in ms, or at one of the ends; answers within the step's time.
  rd_kafka_resp_err_t offset_at(const Partition& partition, std::int64_t time, std::int64_t& offset);
  PartitionReads& reads_of(const Partition& partition);
  static void stop(const PartitionReads& reads, ReadAhead& reader);
  Result<void> move(PartitionReads& reads, ReadAhead& reader, Offset to);
  // After a disturbance: the record before must still be the one that was read.
  Result<void> check_last(PartitionReads& reads, ReadAhead& reader);
  [[nodiscard]] Offset end_seen(const PartitionReads& reads, const ReadAhead& reader) const;
  // The message at reader.next, which is not taken; nullptr at the end that is known. Errors: see read().
  Result<const rd_kafka_message_t*> peek(PartitionReads& reads, ReadAhead& reader);
  Error trouble(PartitionReads& reads, ReadAhead& reader, rd_kafka_resp_err_t code);

  const KafkaOptions options_;
  const Grown grown_;
  // `socket_timeout_ms`: how long one request to a broker may take.
  Result<KafkaHandle> open_client(int socket_timeout_ms);

  std::array<KafkaHandle, 2> clients_;
  KafkaHandle asking_;
  // Grows with each sign that a connection broke or a partition changed: readers then check their last record.
  std::atomic<std::uint64_t> disturbances_ = 0;
  std::atomic<bool> all_down_ = false;
  std::atomic<bool> hurried_ = false;  // see stop_waiting()
  std::atomic<bool> silent_ = false;   // the last question for an end got no answer

  std::mutex mutex_;  // guards the map
  std::map<Partition, std::unique_ptr<PartitionReads>> reads_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;  // serves the clients' callbacks
};

}  // namespace granary::journal
