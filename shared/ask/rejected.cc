#include "shared/ask/rejected.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "shared/ask/list.h"
#include "shared/ask/read.h"
#include "shared/ask/token_wait.h"
#include "shared/fold/outward.h"
#include "shared/http/problem.h"
#include "shared/json/strict_json.h"
#include "shared/json/writer.h"
#include "shared/machine/topology.h"
#include "shared/peers/shard_questions.h"

namespace granary::ask {
namespace {

using http::Request;
using http::Response;
using machine::MachineKind;
using machine::Topic;

constexpr std::size_t kReadBytes = 1U << 20;

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

// Which partitions hold a machine's refusals; all of them if none is named.
Result<ShardRange> partitions_asked(const Request& request, std::uint16_t partitions) {
  const auto name = http::query(request, "machine");
  if (!name) return ShardRange{0, machine::partitions_of(Topic::rejected, partitions)};
  for (const MachineKind kind : machine::kMachines) {
    if (machine::machine_name(kind) != *name) continue;
    const std::uint16_t first = machine::shard_partition(kind, 0, partitions);
    return ShardRange{first, static_cast<std::uint16_t>(first + machine::shards_of(kind, partitions))};
  }
  return Error{ErrorCode::invalid_input,
               fmt::format("expected intake, metering, allocation or billing, got \"{}\"", name->substr(0, 40))};
}

std::string row_of(const journal::Record& record) {
  std::string row;
  json::Writer(row)
      .begin_object()
      .member("ce_id", runtime::header(record, "ce_id"))
      .members_of(record.value)
      .end_object();
  return row;
}

}  // namespace

Response rejected_page(const journal::Journal& journal, const runtime::Runtime& runtime, const Request& request) {
  const auto range = partitions_asked(request, runtime.partitions());
  if (!range.ok()) return http::bad_parameter("machine", range.error());
  const auto limit = limit_of(request);
  if (!limit.ok()) return http::bad_parameter("limit", limit.error());
  const LogCursors cursors(runtime, {"/v1/rejected", {"source", "id", "machine"}}, request, *range);
  const auto start = cursors.of(request);
  if (!start.ok()) return http::bad_parameter("cursor", start.error());
  Filter filter;
  if (const auto source = http::query(request, "source")) filter.source = *source;
  if (const auto id = http::query(request, "id")) filter.id = *id;

  auto [partition, offset] = *start;
  std::vector<std::string> rows;
  std::size_t looked_at = 0;
  journal::ReadBatch batch;
  for (; partition < range->end; ++partition, offset = 0) {
    const journal::Partition where{std::string(machine::topic_name(Topic::rejected)), partition};
    while (true) {
      const auto read = journal.read(where, offset, kReadBytes, batch);
      if (!read.ok() && read.error().code == ErrorCode::conflict) return http::bad_parameter("cursor", read.error());
      if (!read.ok())
        return http::unavailable("journal_unavailable", "The log cannot be read now", read.error().message,
                                 "try again");
      if (batch.records.empty()) break;
      for (const journal::Record& record : batch.records) {
        if (rows.size() == *limit) return page(rows, cursors.text(partition, offset));
        if (looked_at == kRejectedScanMax) return page(rows, cursors.text(partition, offset), Ends::for_long_looking);
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
struct AfterToken {
  std::atomic<std::size_t> left = 0;
  std::atomic<bool> over = false;
  std::function<void(Folded)> go_on;
  http::Loop::Timer timer;

  void end_in_time(Folded published) {
    timer.cancel();
    end(published);
  }
  void end(Folded published) {
    if (over.exchange(true)) return;
    const auto then = std::exchange(go_on, nullptr);
    then(published);
  }
};

}  // namespace

void get_rejected(runtime::Runtime& runtime, http::Loop& loop, Request request, http::Responder responder,
                  http::Handler page) {
  const auto after = token_of(request, runtime);
  if (!after.ok()) return responder(http::bad_parameter("after", after.error()));
  if (!*after || (*after)->places.empty()) return page(std::move(request), std::move(responder));
  auto waiting = std::make_shared<AfterToken>();
  waiting->left = (*after)->places.size();
  waiting->go_on = [request = std::move(request), page = std::move(page),
                    answer = std::make_shared<http::Responder>(std::move(responder))](Folded published) mutable {
    if (published == Folded::yes) return page(std::move(request), std::move(*answer));
    if (published == Folded::beyond_the_log) return (*answer)(token_beyond_the_log());
    (*answer)(http::unavailable("not_published_yet", "What the token names is not in this list yet", "",
                                "ask again with the same token"));
  };
  // The timer holds the wait; when it has rung or was cancelled, the runtime forgets it.
  waiting->timer = loop.set_timer(peers::kWaitMsMax, [waiting] { waiting->end(Folded::not_in_time); });
  for (const runtime::Place& place : (*after)->places) {
    runtime::Needs needs;
    needs.position = place.offset + 1;
    needs.published = true;
    runtime.when_met({machine::reader_of(place.topic), place.partition}, needs, waiting,
                     [weak = std::weak_ptr(waiting)](const std::optional<std::vector<runtime::LaneNumber>>& lanes) {
                       const auto wait = weak.lock();
                       if (!wait) return;
                       if (!lanes) return wait->end_in_time(Folded::beyond_the_log);
                       if (--wait->left == 0) wait->end_in_time(Folded::yes);
                     });
  }
}

}  // namespace granary::ask
