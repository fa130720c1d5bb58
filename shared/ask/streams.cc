#include "shared/ask/streams.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "shared/ask/list.h"
#include "shared/ask/read.h"
#include "shared/fold/outward.h"
#include "shared/http/problem.h"
#include "shared/json/writer.h"

namespace granary::ask {
namespace {

using http::Request;
using http::Response;
using machine::Topic;

constexpr std::size_t kReadBytes = 1U << 20;

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return number;
}

// Adds rows from `offset` on until the page is full or the partition ends, and moves `offset` behind them.
Result<void> add_rows(const journal::Journal& journal, const journal::Partition& partition, std::size_t limit,
                      journal::Offset& offset, std::vector<std::string>& rows) {
  journal::ReadBatch batch;
  while (rows.size() < limit) {
    GRANARY_TRY(journal.read(partition, offset, kReadBytes, batch));
    if (batch.records.empty()) break;
    for (const journal::Record& record : batch.records) {
      if (rows.size() == limit) break;
      rows.push_back(cloud_event_json(record));
      ++offset;
    }
  }
  return {};
}

Response answer(std::uint16_t partitions, const std::vector<std::string>& rows, const std::string& next) {
  Response response{.content_type = "application/json"};
  json::Writer out(response.body);
  out.begin_object().member("partitions", partitions);
  add_page(out, rows, next);
  out.end_object();
  return response;
}

Response one_partition(const journal::Journal& journal, std::uint16_t partitions, Topic stream, std::uint16_t number,
                       std::size_t limit, const Request& request) {
  const journal::Partition partition{std::string(machine::topic_name(stream)), number};
  auto at = stream_start(journal, partition, http::query(request, "from").value_or("BEGINNING"));
  if (!at.ok()) return cannot_read("from", at.error());
  std::vector<std::string> rows;
  if (const auto read = add_rows(journal, partition, limit, *at, rows); !read.ok())
    return cannot_read("from", read.error());
  return answer(partitions, rows, std::to_string(*at));
}

}  // namespace

std::optional<Topic> stream_called(std::string_view name) {
  if (name == "billing") return Topic::billing;
  if (name == "notices") return Topic::notices;
  if (name == "rejected") return Topic::rejected;
  return std::nullopt;
}

std::string cloud_event_json(const journal::Record& record) {
  std::string event;
  json::Writer out(event);
  out.begin_object();
  const auto add = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) out.member(name, value);
  };
  for (const auto& [name, value] : record.headers)
    if (name.starts_with("ce_")) add(name.substr(3), value);
  add("datacontenttype", runtime::header(record, "content-type"));
  add("partitionkey", record.key);
  out.name("data").json(record.value).end_object();
  return event;
}

Result<journal::Offset> stream_start(const journal::Journal& journal, const journal::Partition& partition,
                                     std::string_view from) {
  if (from == "BEGINNING") return journal::Offset{0};
  if (from == "END") return journal.end(partition);
  if (const auto number = number_of(from)) return journal::Offset{*number};
  return Error{ErrorCode::invalid_input,
               fmt::format("expected BEGINNING, END or the number of a record, got \"{}\"; hint: the first record is 0",
                           from.substr(0, 40))};
}

Result<std::uint16_t> partition_of(std::string_view text, std::uint16_t count) {
  const auto number = number_of(text);
  if (number && *number < count) return static_cast<std::uint16_t>(*number);
  return Error{ErrorCode::invalid_input,
               fmt::format("expected a number below {}, got \"{}\"", count, text.substr(0, 40))};
}

Response cannot_read(const std::string& parameter, const Error& error) {
  if (error.code == ErrorCode::conflict || error.code == ErrorCode::invalid_input)
    return http::bad_parameter(parameter, error);
  return http::unavailable("journal_unavailable", "The log cannot be read now", error.message, "try again");
}

Response stream_page(const journal::Journal& journal, const runtime::Runtime& runtime, Topic stream,
                     const Request& request) {
  const std::uint16_t count = machine::partitions_of(stream, runtime.partitions());
  const auto limit = limit_of(request);
  if (!limit.ok()) return http::bad_parameter("limit", limit.error());
  if (const auto text = http::query(request, "partition")) {
    const auto number = partition_of(*text, count);
    if (!number.ok()) return http::bad_parameter("partition", number.error());
    if (http::query(request, "cursor"))
      return http::bad_parameter("cursor",
                                 {ErrorCode::invalid_input,
                                  "expected none beside `partition`; hint: of one partition, `next` goes into `from`"});
    return one_partition(journal, count, stream, *number, *limit, request);
  }
  if (http::query(request, "from"))
    return http::bad_parameter("from", {ErrorCode::invalid_input, "expected it beside `partition`"});
  const LogCursors cursors(runtime, {"/v1/streams/" + std::string(machine::topic_name(stream))}, request, {0, count});
  const auto start = cursors.of(request);
  if (!start.ok()) return http::bad_parameter("cursor", start.error());
  auto [number, offset] = *start;
  std::vector<std::string> rows;
  for (; number < count; ++number, offset = 0) {
    const journal::Partition partition{std::string(machine::topic_name(stream)), number};
    if (const auto read = add_rows(journal, partition, *limit, offset, rows); !read.ok())
      return cannot_read("cursor", read.error());
    if (rows.size() < *limit) continue;
    return answer(count, rows, cursors.text(number, offset));
  }
  return answer(count, rows, "");
}

}  // namespace granary::ask
