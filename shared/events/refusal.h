// What machines refuse.
#pragma once

#include "shared/events/topic.h"
#include "shared/events/words.h"

namespace granary::events {

// All to rejected: what a machine's rules refused. The cause is (source, id) and the hash of its substance. `collector`
// tells a site which of its programs sent it. The record's `caller` and `actor` are left out on purpose: everybody who
// may read refusals would learn who calls and who decides, and a portal finds what it sent by (source, id). They stand
// in the log, at topic, partition and offset.
struct RecordRefused {
  MachineKind machine{};
  std::string reason, field, hint;
  std::string topic;
  std::uint64_t partition = 0, offset = 0;
  std::string type, source, id, substance_sha256;
  Instant recorded_at;
  std::string collector;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "machine", s.machine, kRequired);
    visit(2, "reason", s.reason, kRequired);
    visit(3, "field", s.field, kOptional);
    visit(4, "hint", s.hint, kOptional);
    visit(5, "topic", s.topic, kRequired);
    visit(6, "partition", s.partition, kRequired);
    visit(7, "offset", s.offset, kRequired);
    visit(8, "type", s.type, kOptional);
    visit(9, "source", s.source, kOptional);
    visit(10, "id", s.id, kOptional);
    visit(11, "substance_sha256", s.substance_sha256, kOptional);
    visit(12, "recorded_at", s.recorded_at, kOptional);
    visit(13, "collector", s.collector, kOptional);
  }
};

}  // namespace granary::events
