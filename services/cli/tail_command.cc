// `granary tail`: what the outward streams tell, one event a line, in the order of each partition; out of Kafka itself
// or through a running server.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "services/cli/command.h"
#include "services/cli/outward_stream.h"
#include "services/cli/question.h"
#include "services/cli/table.h"
#include "shared/service/command_line.h"
#include "shared/service/program.h"
#include "shared/units/currency.h"

namespace granary::cli {
namespace {

constexpr int kFollowPauseMs = 500;

struct Arguments {
  ClientOptions client;
  std::string stream;  // billing, notices or rejected
  std::string from = "BEGINNING";
  std::optional<std::uint16_t> partition;  // not set: all
  bool follow = false;
  service::KafkaArguments kafka;  // without brokers: the server
};

int cannot_tail(const Error& error) {
  service::complain("tail: " + error.message);
  return error.code == ErrorCode::invalid_input || error.code == ErrorCode::conflict ? service::kUsage
                                                                                     : service::kCannotRun;
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

// Lines whose columns are below each other, as far as what has come allows.
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

// Reads the partitions in turn and shows what comes.
class Tail {
 public:
  Tail(OutwardStream& stream, const Arguments& arguments, std::uint16_t partitions)
      : stream_(stream),
        arguments_(arguments),
        first_(arguments.partition.value_or(0)),
        end_(arguments.partition ? static_cast<std::uint16_t>(first_ + 1) : partitions),
        places_(partitions, arguments.from),
        lines_(arguments.stream, arguments.client.exact) {}

  // The exit code: 0 done, 2 usage, 3 cannot read. With --follow it ends only by a signal, or if nothing can be read
  // any more.
  int run() {
    while (true) {
      const auto more = read_once();
      if (!more.ok()) return cannot_tail(more.error());
      if (std::fflush(stdout) != 0) return kDone;  // run_program says so
      if (*more) continue;
      if (!arguments_.follow) break;
      poll(nullptr, 0, kFollowPauseMs);
    }
    if (arguments_.client.json) return kDone;
    const auto shown = show({});  // the headings, if there was no event
    return shown.ok() ? kDone : cannot_tail(shown.error());
  }

 private:
  // Whether there was an event.
  Result<bool> read_once() {
    bool more = false;
    for (std::uint16_t partition = first_; partition < end_; ++partition) {
      std::vector<std::string> events;
      auto next = stream_.read(partition, places_[partition], events);
      if (!next.ok() && arguments_.follow && next.error().can_retry()) {
        if (!told_) service::complain(fmt::format("tail: {}; asking again", next.error().message));
        told_ = true;
        break;
      }
      if (!next.ok()) return next.error();
      told_ = false;
      if (!events.empty() && *next == places_[partition])
        return Error{ErrorCode::io_error,
                     fmt::format("expected the events after {}, got the same again; hint: see that --url names a "
                                 "Granary server",
                                 *next)};
      places_[partition] = std::move(*next);
      if (events.empty()) continue;
      more = true;
      GRANARY_TRY(show(events));
    }
    return more;
  }

  Result<void> show(const std::vector<std::string>& events) {
    if (!arguments_.client.json) return lines_.print(events);
    for (const std::string& event : events) GRANARY_TRY(service::write_output(event + '\n'));
    return {};
  }

  OutwardStream& stream_;
  const Arguments& arguments_;
  std::uint16_t first_, end_;
  std::vector<std::string> places_;
  Lines lines_;
  bool told_ = false;  // that the server is away
};

int tail(const Arguments& arguments) {
  auto stream = open_stream(arguments.stream, arguments.client.url, arguments.kafka);
  if (!stream.ok()) return cannot_tail(stream.error());
  const auto count = (*stream)->partitions();
  if (!count.ok()) return cannot_tail(count.error());
  if (arguments.partition && *arguments.partition >= *count)
    return cannot_tail({ErrorCode::invalid_input,
                        fmt::format("--partition: expected a number below {}, got {}", *count, *arguments.partition)});
  return Tail(**stream, arguments, *count).run();
}

std::string check_place(const std::string& text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = read.ec == std::errc() && read.ptr == text.data() + text.size();
  const bool is_place = text == "BEGINNING" || text == "END" || is_number;
  return is_place ? std::string() : "expected BEGINNING, END or the number of a record, got " + text;
}

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  add_client_options(command, arguments->client);
  command.add_option("STREAM", arguments->stream, "billing: charges; notices: what portals act on; rejected: refusals")
      ->required()
      ->check(CLI::IsMember({"billing", "notices", "rejected"}));
  command.add_option("--from", arguments->from, "BEGINNING, END, or in each partition the record with that number")
      ->check(check_place)
      ->capture_default_str();
  command.add_option("--partition", arguments->partition, "Only this one (default: all, one after the other)");
  command.add_flag("--follow", arguments->follow, "Go on as events come, until Ctrl-C");
  add_exact(command, arguments->client);
  service::add_kafka_options(command, arguments->kafka, "Read from Kafka, HOST:PORT,HOST:PORT, in place of a server");
  command.footer(
      "With --json each line is a CloudEvent. An event may come twice, with the same source and id.\n"
      "Exit codes: 0 done, 2 usage, 3 cannot read, or not all could be written.");
  return [arguments] { return tail(*arguments); };
}

const Registered registered({Users::portals, "tail",
                             "Show what the outward streams tell, in the order of each partition, one event a line",
                             declare});

}  // namespace
}  // namespace granary::cli
