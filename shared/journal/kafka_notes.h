// Writes the position up to which inboxes are folded as the offsets of a consumer group. Only operators' lag tools read
// it; Granary never does. Inside shared/journal only.
//
// Threads: note() from any. The client is its own: one with a group does not end before its coordinator has answered
// what it was asked, which takes most of a minute while brokers are away. (The admin protocol's
// AlterConsumerGroupOffsets would need no group, but librdkafka 2.0.2 aborts the process if a broker goes away
// meanwhile.)
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "shared/journal/kafka_client.h"

namespace granary::journal {

class KafkaNotes {
 public:
  explicit KafkaNotes(KafkaOptions options) : options_(std::move(options)) {}
  // Sends what was noted last. If no broker answers within a second, the client is kept until the process ends.
  ~KafkaNotes();
  KafkaNotes(const KafkaNotes&) = delete;
  KafkaNotes& operator=(const KafkaNotes&) = delete;

  // Does nothing if the options name no group. Errors: settings.
  Result<void> start();
  // Sent now and then.
  void note(const Partition& partition, Offset next);

 private:
  void send();  // on the thread

  const KafkaOptions options_;
  KafkaHandle client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::size_t unanswered_ = 0;  // of the thread
  KafkaQueue answers_;
  std::map<Partition, Offset> folded_;
  std::thread thread_;
};

}  // namespace granary::journal
