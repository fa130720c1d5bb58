#include "shared/journal/kafka_notes.h"

#include <chrono>
#include <utility>
#include <vector>

namespace granary::journal {
namespace {
constexpr auto kEvery = std::chrono::seconds(5);  // lag tools look a few times a minute
constexpr int kPatienceMs = 1'000;                // of a stop that has ten seconds for everything

// Keeps them until the process ends; a global, so that no leak is reported.
void leave(KafkaHandle client, KafkaQueue answers) {
  static std::mutex mutex;
  static auto* const left = new std::vector<std::pair<KafkaHandle, KafkaQueue>>;
  const std::lock_guard lock(mutex);
  left->emplace_back(std::move(client), std::move(answers));
}
}  // namespace

Result<void> KafkaNotes::start() {
  if (options_.group.empty()) return {};
  auto conf = kafka_conf(options_, {{"bootstrap.servers", options_.brokers},
                                    {"group.id", options_.group},
                                    {"enable.auto.commit", "false"},
                                    {"reconnect.backoff.max.ms", "1000"}});
  if (!conf.ok()) return conf.error();
  auto client = kafka_open(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!client.ok()) return client.error();
  client_ = std::move(*client);
  answers_.reset(rd_kafka_queue_new(client_.get()));
  thread_ = std::thread([this] {
    for (bool last = false; !last;) {
      {
        std::unique_lock lock(mutex_);
        last = changed_.wait_for(lock, kEvery, [this] { return stopping_; });
      }
      send();
    }
  });
  return {};
}

KafkaNotes::~KafkaNotes() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (unanswered_ > 0) leave(std::move(client_), std::move(answers_));
}

void KafkaNotes::note(const Partition& partition, Offset next) {
  if (!client_) return;
  const std::lock_guard lock(mutex_);
  folded_[partition] = next;
}

void KafkaNotes::send() {
  rd_kafka_poll(client_.get(), 0);
  std::map<Partition, Offset> folded;
  {
    const std::lock_guard lock(mutex_);
    folded.swap(folded_);
  }
  if (folded.empty()) return;
  const KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(folded.size())));
  for (const auto& [partition, next] : folded)
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number)->offset =
        static_cast<std::int64_t>(next);
  rd_kafka_commit_queue(client_.get(), list.get(), answers_.get(), nullptr, nullptr);
  // Whether it succeeds changes nothing.
  for (++unanswered_; unanswered_ > 0; --unanswered_) {
    rd_kafka_event_t* answer = rd_kafka_queue_poll(answers_.get(), kPatienceMs);
    if (answer == nullptr) return;
    rd_kafka_event_destroy(answer);
  }
}

}  // namespace granary::journal
