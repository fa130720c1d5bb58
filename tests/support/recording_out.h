// An Out for tests of machines: keeps what was emitted, decoded, in order.
#pragma once

#include <map>
#include <vector>

#include "shared/machine/machine.h"

namespace granary::test {

class RecordingOut final : public machine::Out {
 public:
  struct Sent {
    machine::Topic topic;
    std::uint16_t partition;
    std::uint64_t number;
    events::Event event;
  };
  std::vector<Sent> sent;
  std::vector<std::uint64_t> activated;  // rules versions

  void activate_rules(std::uint64_t version) override { activated.push_back(version); }

  // The events of type T, in order.
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const Sent& one : sent)
      if (const T* event = std::get_if<T>(&one.event)) found.push_back(*event);
    return found;
  }
  [[nodiscard]] std::uint64_t next_number(machine::Topic topic, std::uint16_t partition) const override {
    const auto last = numbers_.find({topic, partition});
    return last == numbers_.end() ? 1 : last->second + 1;
  }

 private:
  std::uint64_t send(machine::Topic topic, std::uint16_t partition, BytesView bytes) override {
    events::EventDecoder decoder;
    GRANARY_CHECK(decoder.decode(bytes) == events::DecodeResult::ok, "a machine emitted no event");
    const std::uint64_t number = ++numbers_[{topic, partition}];
    sent.push_back({topic, partition, number, decoder.event()});
    return number;
  }
  std::map<std::pair<machine::Topic, std::uint16_t>, std::uint64_t> numbers_;
};

}  // namespace granary::test
