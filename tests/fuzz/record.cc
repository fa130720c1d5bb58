// Records as a journal holds them, and the events in them. Decoding never crashes, and what it takes is canonical: it
// encodes to the same bytes. A first byte of 0xff means that the rest is the bytes of one event.
#include <string>

#include "shared/base/check.h"
#include "shared/events/json.h"
#include "shared/events/record.h"
#include "tests/fuzz/target.h"

namespace granary::fuzz {
namespace {

using namespace events;  // NOLINT(google-build-using-namespace): all of it is about them

constexpr Id16 kLedger{};

void check_event(BytesView bytes) {
  EventDecoder decoder;
  // Twice: the decoder keeps what it read, and reads over it.
  if (decoder.decode(bytes) != DecodeResult::ok) return;
  for (int turn = 0; turn < 2; ++turn) {
    Bytes again;
    encode_event(decoder.event(), again);
    GRANARY_CHECK(again == bytes, "an event that is read writes the same bytes");
    GRANARY_CHECK(type_of(decoder.event()) == peek_type(bytes), "an event is of the type that its bytes claim");
    GRANARY_CHECK(decoder.decode(bytes) == DecodeResult::ok, "what is read once is read again");
  }
  std::string text;
  write_json(decoder.event(), text);
  GRANARY_CHECK(!text.empty() && text.front() == '{' && text.back() == '}', "an event is a JSON object");
}

template <class Body>
bool check_body(BytesView record, Body& body) {
  if (!codec::decode(body_of(record), body)) return false;
  GRANARY_CHECK(body_of(encode_record(kLedger, body)) == body_of(record),
                "a record that is read writes the same bytes");
  return true;
}

void check_record(BytesView record) {
  if (const auto checkpoint = read_checkpoint(record))
    GRANARY_CHECK(body_of(encode_record(kLedger, *checkpoint)) == body_of(record),
                  "a checkpoint that is read writes the same bytes");
  const auto kind = kind_of(record);
  if (!kind) return;
  switch (*kind) {
    case RecordKind::genesis: {
      Genesis genesis;
      check_body(record, genesis);
      break;
    }
    case RecordKind::tick: {
      Tick tick;
      check_body(record, tick);
      break;
    }
    case RecordKind::raw: {
      Raw raw;
      if (check_body(record, raw)) check_event(raw.substance);
      break;
    }
    case RecordKind::packet: {
      Packet packet;
      if (check_body(record, packet))
        for (const std::string& event : packet.events) check_event(event);
      break;
    }
    case RecordKind::checkpoint:
      break;  // stands in no inbox
  }
}

}  // namespace
}  // namespace granary::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const granary::BytesView bytes = granary::fuzz::text_of(data, size);
  if (size > 0 && data[0] == 0xff)
    granary::fuzz::check_event(bytes.substr(1));
  else
    granary::fuzz::check_record(bytes);
  return 0;
}
