// A way to another journal, for tests that change or watch one thing of it and leave the rest. Threads: as the port.
// Ownership: the journal behind outlives this.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "shared/journal/journal.h"

namespace granary::testing_support {

class ForwardingJournal : public journal::Journal {
 public:
  explicit ForwardingJournal(journal::Journal& behind) : behind_(behind) {}

  Result<void> create_topic(const journal::TopicInfo& topic) override { return behind_.create_topic(topic); }
  Result<std::vector<journal::TopicInfo>> topics() const override { return behind_.topics(); }
  void append(const journal::Partition& partition, std::vector<journal::Record> records, AppendDone done) override {
    behind_.append(partition, std::move(records), std::move(done));
  }
  Result<void> read(const journal::Partition& partition, journal::Offset from, std::size_t bytes_max,
                    journal::ReadBatch& batch) const override {
    return behind_.read(partition, from, bytes_max, batch);
  }
  Result<journal::Offset> end(const journal::Partition& partition) const override { return behind_.end(partition); }
  void set_listener(Listener listener) override { behind_.set_listener(std::move(listener)); }
  void note_folded(const journal::Partition& partition, journal::Offset next) override {
    behind_.note_folded(partition, next);
  }
  void stop_waiting() override { behind_.stop_waiting(); }
  void finish_appends(std::chrono::milliseconds patience) override { behind_.finish_appends(patience); }

 protected:
  journal::Journal& behind() { return behind_; }

 private:
  journal::Journal& behind_;
};

}  // namespace granary::testing_support
