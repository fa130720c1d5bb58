// Events as a door takes them: header lines, an empty line, a body. What is refused says why, and what is taken becomes
// a record that reads back as it was written, byte for byte.
#include <algorithm>
#include <string>

#include "shared/base/check.h"
#include "shared/entry/event_answer.h"
#include "shared/entry/raw_record.h"
#include "shared/events/record.h"
#include "tests/fuzz/target.h"

namespace granary::fuzz {
namespace {

const units::Instant kRecordedAt(1'793'500'000'000);

http::Fields take_headers(std::string_view& bytes) {
  http::Fields headers;
  while (!bytes.empty()) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
    if (line.empty()) break;
    const std::size_t colon = std::min(line.find(": "), line.size());
    std::string name(line.substr(0, colon));
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    headers.push_back({name, std::string(line.substr(std::min(colon + 2, line.size())))});
  }
  return headers;
}

bool is_name(std::string_view reason) {
  return !reason.empty() &&
         std::all_of(reason.begin(), reason.end(), [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); });
}

constexpr Id16 kLedger{0xf0};

void check_record(const entry::RawRecord& record) {
  GRANARY_CHECK(events::kind_of(record.bytes) == events::RecordKind::raw, "a door writes raw records");
  events::Raw raw;
  GRANARY_CHECK(codec::decode(events::body_of(record.bytes), raw), "a record that was written is read");
  GRANARY_CHECK(events::encode_record(kLedger, raw) == record.bytes, "and writes the same bytes");
  events::EventDecoder decoder;
  GRANARY_CHECK(decoder.decode(raw.substance) == events::DecodeResult::ok, "its substance is an event");
  Bytes again;
  events::encode_event(decoder.event(), again);
  GRANARY_CHECK(again == raw.substance, "and writes the same bytes");
  std::string text;
  events::write_json(decoder.event(), text);
  GRANARY_CHECK(json::parse(text).ok(), "as JSON it can be read: " + text);
}

}  // namespace
}  // namespace granary::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace granary;
  std::string_view body = fuzz::text_of(data, size);
  const http::Fields headers = fuzz::take_headers(body);
  auto read = entry::read_cloud_events(headers, body, fuzz::kRecordedAt);
  if (const auto* problem = std::get_if<http::Problem>(&read)) {
    GRANARY_CHECK(problem->status >= 400 && problem->status < 500 && fuzz::is_name(problem->type),
                  "a refusal has a name");
    GRANARY_CHECK(json::parse(to_json(*problem)).ok(), "a problem is JSON");
    return 0;
  }
  std::vector<entry::EventResult> results;
  for (entry::Received& received : std::get<std::vector<entry::Received>>(read)) {
    entry::EventResult& result = results.emplace_back();
    result.id = received.id;
    if (auto* event = std::get_if<entry::CloudEvent>(&received.outcome)) {
      auto made =
          entry::make_raw_record(std::move(*event), "http", {}, fuzz::kRecordedAt, {granary::fuzz::kLedger, 8, 1});
      if (auto* record = std::get_if<entry::RawRecord>(&made)) {
        fuzz::check_record(*record);
        result.place = runtime::Place{record->topic, record->partition, 0};
      } else {
        result.problem = std::get<codec::FormError>(std::move(made));
      }
    } else {
      result.problem = std::get<codec::FormError>(std::move(received.outcome));
    }
    if (result.problem)
      GRANARY_CHECK(fuzz::is_name(result.problem->reason) && !result.problem->hint.empty(),
                    "a refusal has name and hint");
  }
  const auto answer = entry::event_answer(results, {}, entry::Outcomes::shown, std::nullopt);
  GRANARY_CHECK(json::parse(answer.body, {16U << 20, 16}).ok(), "an answer is JSON: " + answer.body);
  return 0;
}
