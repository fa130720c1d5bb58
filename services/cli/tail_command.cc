#include "services/cli/tail_command.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "services/cli/api.h"
#include "services/cli/table.h"
#include "shared/ask/streams.h"
#include "shared/json/writer.h"
#include "shared/service/kafka_options.h"
#include "shared/service/program.h"
#include "shared/units/currency.h"

namespace granary::cli {
namespace {

constexpr int kDone = 0;
constexpr int kFollowPauseMs = 500;
constexpr std::size_t kReadBytes = 1U << 20;

int cannot_tail(const Error& error) {
  service::complain("tail: " + error.message);
  return error.code == ErrorCode::invalid_input || error.code == ErrorCode::conflict ? service::kUsage
                                                                                     : service::kCannotRun;
}

// Where events come from: Kafka or a server.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Result<std::uint16_t> partitions() = 0;
  // Events of a partition from `from` on, as CloudEvents in JSON, and where to ask next.
  virtual Result<std::string> read(std::uint16_t partition, const std::string& from,
                                   std::vector<std::string>& events) = 0;
};

class KafkaStream final : public Stream {
 public:
  KafkaStream(std::unique_ptr<journal::Journal> journal, std::string topic)
      : journal_(std::move(journal)), topic_(std::move(topic)) {}

  Result<std::uint16_t> partitions() override {
    const auto topics = journal_->topics();
    if (!topics.ok()) return topics.error();
    for (const journal::TopicInfo& one : *topics)
      if (one.name == topic_) return one.partitions;
    return Error{ErrorCode::not_found, "expected topic " + topic_ + ", found none; hint: granary topics --check"};
  }
  Result<std::string> read(std::uint16_t partition, const std::string& from,
                           std::vector<std::string>& events) override {
    const journal::Partition where{topic_, partition};
    const auto at = ask::stream_start(*journal_, where, from);
    if (!at.ok()) return at.error();
    GRANARY_TRY(journal_->read(where, *at, kReadBytes, batch_));
    for (const journal::Record& record : batch_.records) events.push_back(ask::cloud_event_json(record));
    return std::to_string(*at + batch_.records.size());
  }

 private:
  std::unique_ptr<journal::Journal> journal_;
  std::string topic_;
  journal::ReadBatch batch_;
};

class ServerStream final : public Stream {
 public:
  ServerStream(Api api, const std::string& stream) : api_(std::move(api)), path_("/v1/streams/" + stream) {}

  Result<std::uint16_t> partitions() override {
    const auto page = api_.get(path_ + "?limit=1");
    if (!page.ok()) return page.error();
    const auto count = integer_of(*page, "partitions");
    if (!count.ok()) return count.error();
    if (*count < 1 || *count > UINT16_MAX)
      return Error{ErrorCode::io_error, "expected 1 to 65535 `partitions` in the server's answer, got " +
                                            std::to_string(*count) + "; hint: see that --url names a Granary server"};
    return static_cast<std::uint16_t>(*count);
  }
  Result<std::string> read(std::uint16_t partition, const std::string& from,
                           std::vector<std::string>& events) override {
    const auto page = api_.get(path_ + "?limit=1000&partition=" + std::to_string(partition) + "&from=" + from);
    if (!page.ok()) return page.error();
    const auto rows = member_of(*page, "rows", json::Kind::array);
    if (!rows.ok()) return rows.error();
    for (const json::Value& row : (*rows)->items()) json::append_json(events.emplace_back(), row);
    const auto next = member_of(*page, "next", json::Kind::string);
    if (!next.ok()) return next.error();
    return (*next)->string();
  }

 private:
  Api api_;
  std::string path_;
};

Result<std::unique_ptr<Stream>> open_stream(const ClientOptions& client, const TailArguments& arguments) {
  if (arguments.brokers.empty()) {
    auto api = Api::connect(client.url);
    if (!api.ok()) return api.error();
    return std::unique_ptr<Stream>(std::make_unique<ServerStream>(std::move(*api), arguments.stream));
  }
  auto options = service::kafka_options(arguments.brokers, arguments.kafka, arguments.kafka_file);
  if (!options.ok()) return options.error();
  auto journal = journal::open_kafka_journal(*options);
  if (!journal.ok()) return journal.error();
  return std::unique_ptr<Stream>(std::make_unique<KafkaStream>(
      std::move(*journal), std::string(machine::topic_name(*ask::stream_called(arguments.stream)))));
}

// Which members of an event's data a person is shown, by stream; an amount in people's units.
std::vector<std::string> columns_of(const std::string& stream) {
  if (stream == "billing")
    return {"organisation", "project",     "resource",       "period",       "amount",
            "currency",     "list_amount", "covered_amount", "billed_amount"};
  // `id`: the job of a hold that lapsed.
  if (stream == "notices") return {"organisation", "project", "grant", "lot", "class", "amount", "at", "id"};
  return {"machine", "reason", "source", "id", "hint"};
}

// Of `columns_of`, what is money.
bool is_money(const std::string& column) {
  return column.ends_with("_amount");
}

// Lines whose columns stand below each other as far as what has come allows.
class Lines {
 public:
  Lines(const std::string& stream, bool exact)
      : columns_(columns_of(stream)), widths_(columns_.size() + 2), exact_(exact) {}

  // The first time with the headings.
  Result<void> print(const std::vector<std::string>& events) {
    std::vector<std::vector<std::string>> rows;
    if (!std::exchange(headed_, true)) {
      rows.push_back({"id", "type"});
      rows.back().insert(rows.back().end(), columns_.begin(), columns_.end());
    }
    for (const std::string& event : events) rows.push_back(cells_of(event));
    for (const auto& cells : rows)
      for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], cells[i].size());
    std::string text;
    for (const auto& cells : rows) text += line_of(cells);
    return service::write_output(text);
  }

 private:
  [[nodiscard]] std::vector<std::string> cells_of(const std::string& text) const {
    const auto event = json::parse(text);
    if (!event.ok()) return {"", text};  // another's record: as it is
    const json::Value* data = event->find("data");
    std::string type = text_of(*event, "type");
    if (type.starts_with("granary.")) type.erase(0, 8);
    if (type.ends_with(".v1")) type.erase(type.size() - 3);
    std::vector<std::string> cells{text_of(*event, "id"), type};
    for (const std::string& column : columns_) {
      std::string& cell = cells.emplace_back(data == nullptr ? "" : text_of(*data, column));
      if (cell.empty()) continue;
      if (column == "amount") cell = people_amount(cell, text_of(*data, "unit"));
      if (is_money(column) && !exact_) cell = units::people_money(cell, text_of(*data, "currency"));
    }
    return cells;
  }
  [[nodiscard]] std::string line_of(const std::vector<std::string>& cells) const {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) line.append(cells[i]).append(widths_[i] - cells[i].size() + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    return line + '\n';
  }

  std::vector<std::string> columns_;
  std::vector<std::size_t> widths_;
  bool exact_;
  bool headed_ = false;
};

}  // namespace

int tail(const ClientOptions& client, const TailArguments& arguments) {
  auto stream = open_stream(client, arguments);
  if (!stream.ok()) return cannot_tail(stream.error());
  const auto count = (*stream)->partitions();
  if (!count.ok()) return cannot_tail(count.error());
  const std::uint16_t first = arguments.partition.value_or(0);
  const std::uint16_t end = arguments.partition ? static_cast<std::uint16_t>(first + 1) : *count;
  if (first >= *count)
    return cannot_tail({ErrorCode::invalid_input, "--partition: expected a number below " + std::to_string(*count) +
                                                      ", got " + std::to_string(first)});
  std::vector<std::string> places(*count, arguments.from);
  Lines lines(arguments.stream, client.exact);
  const auto show = [&](const std::vector<std::string>& shown) -> Result<void> {
    if (!client.json) return lines.print(shown);
    for (const std::string& event : shown) GRANARY_TRY(service::write_output(event + '\n'));
    return {};
  };
  bool told = false;
  std::vector<std::string> events;
  while (true) {
    bool more = false;
    for (std::uint16_t partition = first; partition < end; ++partition) {
      events.clear();
      auto next = (*stream)->read(partition, places[partition], events);
      if (!next.ok() && arguments.follow && next.error().can_retry()) {
        if (!told) service::complain("tail: " + next.error().message + "; asking again");
        told = true;
        break;
      }
      if (!next.ok()) return cannot_tail(next.error());
      told = false;
      if (!events.empty() && *next == places[partition])
        return cannot_tail(
            {ErrorCode::io_error, "expected the events after " + *next +
                                      ", got the same again; hint: see that --url names a Granary server"});
      more |= !events.empty();
      places[partition] = std::move(*next);
      if (events.empty()) continue;
      if (const auto shown = show(events); !shown.ok()) return cannot_tail(shown.error());
    }
    if (std::fflush(stdout) != 0) return kDone;  // run_program says so
    if (more) continue;
    if (!arguments.follow) {
      if (!client.json)
        if (const auto shown = show({}); !shown.ok()) return cannot_tail(shown.error());
      return kDone;
    }
    poll(nullptr, 0, kFollowPauseMs);
  }
}

}  // namespace granary::cli
