#include "shared/journal/kafka_journal.h"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "shared/journal/append_rules.h"
#include "shared/journal/kafka_notes.h"
#include "shared/journal/kafka_reader.h"
#include "shared/journal/kafka_topics.h"
#include "shared/journal/kafka_writer.h"

namespace granary::journal {
namespace {

class KafkaJournal final : public Journal {
 public:
  explicit KafkaJournal(const KafkaOptions& options)
      : options_(options),
        notes_(options),
        readers_(options, [this](const Partition& partition) { tell(partition); }),
        writer_(options, [this](const Partition& partition, Offset end) {
          readers_.know_end(partition, end);
          tell(partition);
        }) {}

  Result<void> start() {
    GRANARY_TRY(readers_.start());
    GRANARY_TRY(writer_.start());
    GRANARY_TRY(notes_.start());
    return learn_topics();
  }

  Result<void> create_topic(const TopicInfo& topic) override {
    GRANARY_TRY(check_topic(topic));
    GRANARY_TRY(learn_topics());
    if (const auto standing = partitions_of(topic.name)) return check_same_topic(topic, *standing);
    GRANARY_TRY(make_kafka_topic(readers_.asking(), topic, options_.replication));
    // Another process may have made it meanwhile, with another count; and metadata follows after a moment.
    const auto deadline = std::chrono::steady_clock::now() + kLeadersWithin;
    while (std::chrono::steady_clock::now() < deadline) {
      rd_kafka_poll(readers_.asking(), 20);
      GRANARY_TRY(learn_topics());
      const auto standing = partitions_of(topic.name);
      if (!standing) continue;
      GRANARY_TRY(check_same_topic(topic, *standing));
      bool led = true;
      for (std::uint16_t number = 0; led && number < topic.partitions; ++number) {
        const auto its_end = readers_.end({topic.name, number});
        if (!its_end.ok() && !its_end.error().can_retry() && its_end.error().code != ErrorCode::not_found)
          return its_end.error();
        led = its_end.ok();
      }
      if (led) return {};
    }
    return Error{ErrorCode::unavailable, fmt::format("expected topic {} to have leaders after it was made, but it has "
                                                     "none yet; hint: check the brokers, then try again",
                                                     topic.name)};
  }

  Result<std::vector<TopicInfo>> topics() const override {
    const auto standing = kafka_topics(readers_.asking());
    if (!standing.ok()) return standing.error();
    std::vector<TopicInfo> all;
    for (const auto& [name, partitions] : *standing) all.push_back({name, partitions});
    return all;
  }

  void append(const Partition& partition, std::vector<Record> records, AppendDone done) override {
    const auto known = check_partition(partition);
    if (!known.ok()) return done(known.error());
    const auto bytes = check_records(records);
    if (!bytes.ok()) return done(bytes.error());
    writer_.append(partition, std::move(records), *bytes, std::move(done));
  }

  Result<void> read(const Partition& partition, Offset from, std::size_t bytes_max, ReadBatch& batch) const override {
    GRANARY_TRY(check_partition(partition));
    return readers_.read(partition, from, bytes_max, batch);
  }

  Result<Offset> end(const Partition& partition) const override {
    GRANARY_TRY(check_partition(partition));
    return readers_.end(partition);
  }

  void set_listener(Listener listener) override {
    const std::lock_guard lock(listener_mutex_);
    listener_ = std::move(listener);
  }

  void note_folded(const Partition& partition, Offset next) override { notes_.note(partition, next); }
  void stop_waiting() override { readers_.stop_waiting(); }
  void finish_appends(std::chrono::milliseconds patience) override { writer_.finish(patience); }

 private:
  static constexpr auto kLeadersWithin = std::chrono::seconds(20);

  void tell(const Partition& partition) {
    const std::lock_guard lock(listener_mutex_);
    if (listener_) listener_(partition);
  }

  Result<void> learn_topics() const {
    auto standing = kafka_topics(readers_.asking());
    if (!standing.ok()) return standing.error();
    const std::unique_lock lock(topics_mutex_);
    topics_ = std::move(*standing);
    return {};
  }

  std::optional<std::uint16_t> partitions_of(const std::string& topic) const {
    const std::shared_lock lock(topics_mutex_);
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return std::nullopt;
    return found->second;
  }

  // A topic that is not known may have been made by another process.
  Result<void> check_partition(const Partition& partition) const {
    auto standing = partitions_of(partition.topic);
    if (!standing) {
      GRANARY_TRY(learn_topics());
      standing = partitions_of(partition.topic);
    }
    if (!standing) return unknown_topic(partition);
    if (partition.number >= *standing) return unknown_partition(partition, *standing);
    return {};
  }

  const KafkaOptions options_;
  mutable std::shared_mutex topics_mutex_;
  mutable std::map<std::string, std::uint16_t, std::less<>> topics_;
  // Held while the listener runs; recursive, as it may clear itself.
  std::recursive_mutex listener_mutex_;
  Listener listener_;
  KafkaNotes notes_;
  mutable KafkaReaders readers_;
  KafkaWriter writer_;
};

}  // namespace

Result<std::unique_ptr<Journal>> open_kafka_journal(const KafkaOptions& options) {
  auto journal = std::make_unique<KafkaJournal>(options);
  GRANARY_TRY(journal->start());
  return std::unique_ptr<Journal>(std::move(journal));
}

Result<std::vector<TopicSetting>> wrong_topic_settings(const KafkaOptions& options,
                                                       const std::vector<std::string>& topics) {
  auto conf = kafka_conf(options, {{"bootstrap.servers", options.brokers}});
  if (!conf.ok()) return conf.error();
  const auto client = kafka_open(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!client.ok()) return client.error();
  return wrong_kafka_settings(client->get(), topics);
}

}  // namespace granary::journal
