// A way to a log that more than this ledger may use, or that hands out little at once. Threads: as the port. Ownership:
// shares the log.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/forwarding_journal.h"

namespace granary::scenario {

class LogDoor final : public testing_support::ForwardingJournal {
 public:
  struct Options {
    std::string prefix;                            // before each topic's name, so that one broker serves many ledgers
    std::size_t read_bytes_max = ~std::size_t{0};  // 1: one record a read
  };
  LogDoor(std::shared_ptr<journal::Journal> log, Options options)
      : ForwardingJournal(*log), log_(std::move(log)), options_(std::move(options)) {}

  Result<void> create_topic(const journal::TopicInfo& topic) override {
    return ForwardingJournal::create_topic({options_.prefix + topic.name, topic.partitions});
  }
  Result<std::vector<journal::TopicInfo>> topics() const override {
    auto all = ForwardingJournal::topics();
    if (!all.ok()) return all;
    std::erase_if(*all, [this](const journal::TopicInfo& topic) { return !topic.name.starts_with(options_.prefix); });
    for (journal::TopicInfo& topic : *all) topic.name.erase(0, options_.prefix.size());
    return all;
  }
  void append(const journal::Partition& partition, std::vector<journal::Record> records, AppendDone done) override {
    ForwardingJournal::append(there(partition), std::move(records), std::move(done));
  }
  Result<void> read(const journal::Partition& partition, journal::Offset from, std::size_t bytes_max,
                    journal::ReadBatch& batch) const override {
    return ForwardingJournal::read(there(partition), from, std::min(bytes_max, options_.read_bytes_max), batch);
  }
  Result<journal::Offset> end(const journal::Partition& partition) const override {
    return ForwardingJournal::end(there(partition));
  }
  void set_listener(Listener listener) override {
    if (!listener) return ForwardingJournal::set_listener(nullptr);
    ForwardingJournal::set_listener([this, listener = std::move(listener)](const journal::Partition& partition) {
      if (partition.topic.starts_with(options_.prefix))
        listener({partition.topic.substr(options_.prefix.size()), partition.number});
    });
  }
  void note_folded(const journal::Partition& partition, journal::Offset next) override {
    ForwardingJournal::note_folded(there(partition), next);
  }

 private:
  [[nodiscard]] journal::Partition there(const journal::Partition& partition) const {
    return {options_.prefix + partition.topic, partition.number};
  }

  std::shared_ptr<journal::Journal> log_;
  const Options options_;
};

}  // namespace granary::scenario
