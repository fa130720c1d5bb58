// tests/fuzz/corpus/record: what the fuzz target of records begins with is what this build reads. A seed in another
// form than today's would be left aside by the target without a word.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/unit/events/worked_example.h"

namespace granary::events {
namespace {

template <class Body>
bool reads(BytesView record) {
  Body body;
  return codec::decode(body_of(record), body);
}

// Whether all of it is read, the events inside too.
bool is_read(BytesView seed, EventDecoder& decoder) {
  if (seed.starts_with('\xff')) return decoder.decode(seed.substr(1)) == DecodeResult::ok;
  switch (kind_of(seed).value_or(RecordKind{})) {
    case RecordKind::genesis:
      return reads<Genesis>(seed);
    case RecordKind::tick:
      return reads<Tick>(seed);
    case RecordKind::checkpoint:
      return read_checkpoint(seed).has_value();
    case RecordKind::raw: {
      Raw raw;
      return codec::decode(body_of(seed), raw) && decoder.decode(raw.substance) == DecodeResult::ok;
    }
    case RecordKind::packet: {
      Packet packet;
      if (!codec::decode(body_of(seed), packet)) return false;
      for (const std::string& event : packet.events)
        if (decoder.decode(event) != DecodeResult::ok) return false;
      return !packet.events.empty();
    }
  }
  return false;
}

TEST(Seeds, OfRecordsAreReadAndThereIsOneOfEachKindAndEvent) {
  EventDecoder decoder;
  std::set<RecordKind> kinds;
  std::set<EventType> types;
  const std::string folder = "tests/fuzz/corpus/record/";
  for (const auto& entry : std::filesystem::directory_iterator(std::string(GRANARY_SOURCE_DIR) + "/" + folder)) {
    const std::string name = entry.path().filename();
    const std::string seed = testing::file_text(folder + name);
    EXPECT_TRUE(is_read(seed, decoder)) << name;
    if (seed.starts_with('\xff')) types.insert(peek_type(BytesView(seed).substr(1)));
    if (const auto kind = kind_of(seed)) kinds.insert(*kind);
  }
  EXPECT_EQ(kinds.size(), 5U);
  for (const TypeInfo& info : vocabulary())
    EXPECT_EQ(types.contains(info.type), info.status != Status::reserved) << info.name;
}

}  // namespace
}  // namespace granary::events
