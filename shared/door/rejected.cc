#include "shared/door/rejected.h"

#include <algorithm>
#include <atomic>

#include "shared/base/clock.h"
#include "shared/door/event_answer.h"
#include "shared/door/read.h"
#include "shared/json/strict_json.h"
#include "shared/json/writer.h"
#include "shared/machine/topology.h"
#include "shared/runtime/outward.h"

namespace granary::door {
namespace {

using http::Request;
using http::Response;
using machine::MachineKind;
using machine::Topic;

constexpr std::size_t kReadBytes = 1U << 20;
constexpr std::int64_t kPublishMsMax = 50;

struct Filter {
  std::optional<std::string> source, id;

  [[nodiscard]] bool takes(BytesView row) const {
    if (!source && !id) return true;
    const auto value = json::parse(row);
    if (!value.ok()) return false;
    const auto is = [&value](const char* name, const std::optional<std::string>& wanted) {
      if (!wanted) return true;
      const json::Value* found = value->find(name);
      return found != nullptr && found->is(json::Kind::string) && found->string() == *wanted;
    };
    return is("source", source) && is("id", id);
  }
};

// Which partitions hold a machine's refusals; all of them where none is named.
struct Range {
  std::uint16_t first = 0, end = 0;
};
Result<Range> partitions_asked(const Request& request, std::uint16_t partitions) {
  const auto name = http::query(request, "machine");
  if (!name) return Range{0, machine::partitions_of(Topic::rejected, partitions)};
  for (const MachineKind kind : machine::kMachines) {
    if (machine::machine_name(kind) != *name) continue;
    const std::uint16_t first = machine::rejected_partition(kind, 0, partitions);
    return Range{first, static_cast<std::uint16_t>(first + machine::shards_of(kind, partitions))};
  }
  return Error{ErrorCode::invalid_input,
               "expected intake, metering, allocation or billing, got \"" + std::string(name->substr(0, 40)) + "\""};
}

std::string row_of(const journal::Record& record) {
  std::string row = "{\"ce_id\":";
  json::append_json_string(row, runtime::header(record, "ce_id"));
  if (record.value.size() > 2) row += ',';
  return row.append(record.value, 1);
}

std::string cursor_text(std::uint16_t partition, std::uint64_t offset) {
  Cursor cursor{partition, {}};
  append_u64(cursor.after, offset);
  return cursor.text();
}

}  // namespace

Response rejected_page(const journal::Journal& journal, std::uint16_t partitions, const Request& request) {
  const auto range = partitions_asked(request, partitions);
  if (!range.ok()) return bad_parameter("machine", range.error());
  const auto limit = limit_of(request);
  if (!limit.ok()) return bad_parameter("limit", limit.error());
  auto cursor = cursor_of(request, machine::partitions_of(Topic::rejected, partitions));
  if (cursor.ok() && !cursor->after.empty() && cursor->after.size() != 8)
    cursor = Error{ErrorCode::invalid_input, "expected a cursor of this list"};
  if (!cursor.ok()) return bad_parameter("cursor", cursor.error());
  Filter filter;
  if (const auto source = http::query(request, "source")) filter.source = *source;
  if (const auto id = http::query(request, "id")) filter.id = *id;

  std::uint16_t partition = std::max(cursor->shard, range->first);
  std::uint64_t offset = cursor->after.empty() || partition != cursor->shard ? 0 : read_u64(cursor->after);
  std::vector<std::string> rows;
  std::size_t looked_at = 0;
  journal::ReadBatch batch;
  for (; partition < range->end; ++partition, offset = 0) {
    const journal::Partition where{std::string(machine::topic_name(Topic::rejected)), partition};
    while (true) {
      const auto read = journal.read(where, offset, kReadBytes, batch);
      if (!read.ok() && read.error().code == ErrorCode::conflict) return bad_parameter("cursor", read.error());
      if (!read.ok())
        return unavailable("journal_unavailable", "The log cannot be read now", read.error().message, "try again");
      if (batch.records.empty()) break;
      for (const journal::Record& record : batch.records) {
        if (looked_at == kRejectedScanMax || rows.size() == *limit) return page(rows, cursor_text(partition, offset));
        ++looked_at;
        ++offset;
        if (filter.takes(record.value)) rows.push_back(row_of(record));
      }
    }
  }
  return page(rows, "");
}

namespace {

// A read that waits until the machines that a token's places name have folded it and published what they refused.
struct AfterToken : std::enable_shared_from_this<AfterToken> {
  AfterToken(const journal::Journal& the_journal, runtime::Runtime& the_runtime, Request the_request,
             http::Responder the_responder)
      : journal(the_journal),
        runtime(the_runtime),
        request(std::move(the_request)),
        responder(std::move(the_responder)) {}

  void start(const runtime::Token& token) {
    places = token.places;
    left = places.size();
    for (const runtime::Place& place : token.places)
      wait_folded(runtime, token, machine::reader_of(place.topic), place.partition, kWaitMsMax,
                  [self = shared_from_this()](bool folded) {
                    if (!folded) self->late = true;
                    if (--self->left > 0) return;
                    if (self->late) return self->refuse("not_folded_yet");
                    self->until_ms = system_clock().monotonic_ms() + kPublishMsMax;
                    self->check(0);
                  });
  }

  // Between the fold and the stream lie one commit and one append, some milliseconds; so this asks again and again,
  // for a short time.
  void check(std::size_t number) {
    if (number == places.size()) return responder(rejected_page(journal, runtime.partitions(), request));
    const runtime::Place& place = places[number];
    runtime.ask(machine::reader_of(place.topic), place.partition,
                [self = shared_from_this(), number](machine::Machine&, const runtime::ShardStatus& status) {
                  const bool is_out = status.committed > self->places[number].offset && status.outbox_bytes == 0;
                  if (is_out) return self->check(number + 1);
                  if (system_clock().monotonic_ms() > self->until_ms) return self->refuse("not_published_yet");
                  self->check(number);
                });
  }

  void refuse(const char* type) {
    responder(unavailable(type, "What the token names is not in this list yet", "", "ask again with the same token"));
  }

  const journal::Journal& journal;
  runtime::Runtime& runtime;
  Request request;
  http::Responder responder;
  std::vector<runtime::Place> places;
  std::atomic<std::size_t> left = 0;
  std::atomic<bool> late = false;
  std::int64_t until_ms = 0;
};

}  // namespace

void get_rejected(const journal::Journal& journal, runtime::Runtime& runtime, Request request,
                  http::Responder responder) {
  const auto after = token_of(request, runtime.partitions());
  if (!after.ok()) return responder(bad_parameter("after", after.error()));
  if (!*after || (*after)->places.empty()) return responder(rejected_page(journal, runtime.partitions(), request));
  std::make_shared<AfterToken>(journal, runtime, std::move(request), std::move(responder))->start(**after);
}

}  // namespace granary::door
