#include "services/standalone/commands.h"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "services/standalone/api.h"
#include "services/standalone/table.h"
#include "shared/http/uri.h"
#include "shared/json/writer.h"

namespace granary::standalone {
namespace {

constexpr int kDone = 0, kRefused = 1, kUsage = 2, kCannotRun = 3;
constexpr std::size_t kBatchEvents = 1000;
constexpr std::size_t kBatchBytes = 900U << 10;
constexpr int kWaitSeconds = 30;

int fail(const Error& error) {
  std::fprintf(stderr, "granary: %s\n", error.message.c_str());
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::io_error ? kCannotRun : kRefused;
}

std::string after_token(const ClientOptions& options, std::string path) {
  if (options.after.empty()) return path;
  path += path.find('?') == std::string::npos ? "?after=" : "&after=";
  return path + http::percent_encode(options.after);
}

// Prints the rows of a list: as JSON one array, row by row; as a table of the named columns, amounts as people read
// them.
int print_list(const ClientOptions& options, const std::string& path, const std::vector<std::string>& columns,
               const std::vector<std::string>& amounts) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  Table table(columns);
  bool first = true;
  const auto done = api->each_row(after_token(options, path), [&](const json::Value& row) {
    if (options.json) {
      std::string text = first ? "[" : ",\n";
      append_json(text, row);
      std::fwrite(text.data(), 1, text.size(), stdout);
    } else {
      std::vector<std::string> cells;
      for (const std::string& column : columns) {
        const bool is_amount = std::find(amounts.begin(), amounts.end(), column) != amounts.end();
        cells.push_back(is_amount ? people_amount(text_of(row, column), text_of(row, "unit")) : text_of(row, column));
      }
      table.add(std::move(cells));
    }
    first = false;
  });
  if (!done.ok()) return fail(done.error());
  if (options.json)
    std::puts(first ? "[]" : "]");
  else
    table.print(stdout);
  return kDone;
}

const std::vector<std::string> kBalanceAmounts{"granted", "used",      "reserved",  "running",
                                               "expired", "withdrawn", "available", "uncovered"};

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// Splits what was read into the texts of events.
Result<std::vector<std::string>> events_of(const std::string& text) {
  std::vector<std::string> events;
  const auto add = [&events](const json::Value& value) { append_json(events.emplace_back(), value); };
  if (const auto whole = json::parse(text, {256U << 20, 17}); whole.ok()) {
    if (!whole->is(json::Kind::array))
      add(*whole);
    else
      for (const json::Value& item : whole->items()) add(item);
    return events;
  } else if (text.find('\n') == std::string::npos || text.find_first_not_of(" \t\r\n") == std::string::npos ||
             text.front() == '[') {
    return whole.error();
  }
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto value = json::parse(line);
    if (!value.ok())
      return Error{ErrorCode::invalid_input, "line " + std::to_string(number) + ": " + value.error().message};
    add(*value);
  }
  return events;
}

}  // namespace

int projects(const ClientOptions& options) {
  return print_list(
      options, "/v1/projects",
      {"organisation", "project", "resource", "granted", "used", "reserved", "expired", "available", "uncovered"},
      kBalanceAmounts);
}

int charges(const ClientOptions& options) {
  return print_list(options, "/v1/charges",
                    {"organisation", "project", "resource", "period", "used", "covered", "billed", "unrated",
                     "currency", "list_amount", "covered_amount", "billed_amount"},
                    {"used", "covered", "billed", "unrated"});
}

int balance(const ClientOptions& options, const std::string& project) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  const auto balance = api->get(after_token(options, "/v1/projects/" + http::percent_encode(project) + "/balance"));
  if (!balance.ok()) return fail(balance.error());
  if (options.json) {
    std::string text;
    append_json(text, *balance);
    std::puts(text.c_str());
    return kDone;
  }
  Table table({"resource", "granted", "used", "reserved", "running", "expired", "withdrawn", "available", "uncovered"});
  Table lots({"resource", "lot", "from", "to", "granted", "used", "reserved", "expired", "available"});
  std::string as_of;
  for (const json::Value& row : balance->items()) {
    const std::string unit = text_of(row, "unit");
    std::vector<std::string> cells{text_of(row, "resource")};
    for (const std::string& name : kBalanceAmounts) cells.push_back(people_amount(text_of(row, name), unit));
    table.add(std::move(cells));
    as_of = text_of(row, "as_of");
    if (const json::Value* list = row.find("lots"))
      for (const json::Value& lot : list->items()) {
        std::vector<std::string> line{text_of(row, "resource"),
                                      text_of(lot, "grant").substr(0, 8) + "-" + text_of(lot, "lot"),
                                      text_of(lot, "from"), text_of(lot, "to")};
        for (const char* name : {"granted", "used", "reserved", "expired", "available"})
          line.push_back(people_amount(text_of(lot, name), unit));
        lots.add(std::move(line));
      }
  }
  table.print(stdout);
  std::puts("");
  lots.print(stdout);
  std::printf("\nhours of a resource (bytes: GiB-hours), as of %s\n", as_of.c_str());
  return kDone;
}

// What metering passed on and allocation keeps waiting for its project is pending still.
int sources(const ClientOptions& options) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  std::map<std::string, std::int64_t> unassigned;
  const auto waiting = api->each_row(after_token(options, "/v1/unassigned"), [&](const json::Value& row) {
    unassigned[text_of(row, "source")] += row.find("waiting")->integer().value_or(0);
  });
  if (!waiting.ok()) return fail(waiting.error());
  const std::vector<std::string> columns{"source",   "received", "metered",         "repeated",
                                         "rejected", "pending",  "complete_through"};
  Table table(columns);
  std::string list = "[";
  const auto done = api->each_row(after_token(options, "/v1/sources"), [&](const json::Value& row) {
    const auto of_source = unassigned.find(text_of(row, "source"));
    const std::int64_t here = of_source == unassigned.end() ? 0 : of_source->second;
    const auto number = [&row](std::string_view name, std::int64_t more) {
      return std::to_string(row.find(name)->integer().value_or(0) + more);
    };
    std::vector<std::string> cells;
    cells.reserve(columns.size());
    std::string object = list.size() > 1 ? ",\n{" : "{";
    for (const json::Member& member : row.members()) {
      if (object.back() != '{') object += ',';
      json::append_json_string(object, member.name);
      object += ':';
      if (member.name == "metered")
        object += number("metered", -here);
      else if (member.name == "pending")
        object += number("pending", here);
      else
        append_json(object, member.value);
    }
    list += object + '}';
    for (const std::string& column : columns)
      cells.push_back(column == "metered"   ? number(column, -here)
                      : column == "pending" ? number(column, here)
                                            : text_of(row, column));
    table.add(std::move(cells));
  });
  if (!done.ok()) return fail(done.error());
  if (options.json)
    std::puts((list + ']').c_str());
  else
    table.print(stdout);
  return kDone;
}

int rejected(const ClientOptions& options, const std::string& source, const std::string& id) {
  std::string path = "/v1/rejected?limit=500";
  if (!source.empty()) path += "&source=" + http::percent_encode(source);
  if (!id.empty()) path += "&id=" + http::percent_encode(id);
  return print_list(options, path, {"machine", "reason", "source", "id", "field", "hint"}, {});
}

namespace {

std::string confirmed_text(const json::Value& row) {
  if (const json::Value* stepped = row.find("stepped"))
    return "confirmed: the clock moved from " + text_of(*stepped, "from") + " to " + text_of(*stepped, "to");
  const json::Value* clock = row.find("clock");
  if (clock != nullptr && text_of(*clock, "state") == "comparing")
    return "the clock is compared with what others tick; there is nothing to confirm yet: ask again in some seconds";
  return "the clock runs; there is nothing to confirm";
}

}  // namespace

int clock_confirm(const ClientOptions& options) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  const auto answer = api->post("/v1/clock/confirm", "application/json", "{}", 0);
  if (!answer.ok()) return fail(answer.error());
  if (answer->status != 200) return fail({ErrorCode::invalid_input, problem_text(*answer)});
  const auto body = json::parse(answer->body);
  if (!body.ok()) return fail(body.error());
  if (options.json)
    std::puts(answer->body.c_str());
  else
    std::puts((options.url + ": " + confirmed_text(*body)).c_str());
  int exit_code = kDone;
  const json::Value* peers = body->find("peers");
  if (peers == nullptr || !peers->is(json::Kind::array)) return kDone;
  for (const json::Value& peer : peers->items()) {
    const std::string url = text_of(peer, "owner");
    const std::string error = text_of(peer, "error");
    if (error.empty()) {
      if (!options.json) std::puts((url + ": " + confirmed_text(peer)).c_str());
      continue;
    }
    exit_code = kRefused;
    std::fprintf(stderr, "granary: %s did not confirm its clock: %s; hint: granary clock confirm --url %s\n",
                 url.c_str(), error.c_str(), url.c_str());
  }
  return exit_code;
}

int post(const ClientOptions& options, const std::string& file) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
      std::fprintf(stderr,
                   "granary: %s cannot be read; hint: name a file with CloudEvents in JSON, or - for standard input\n",
                   file.c_str());
      return kCannotRun;
    }
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto events = events_of(text);
  if (!events.ok()) {
    std::fprintf(stderr, "granary: %s: %s\n", file.c_str(), events.error().message.c_str());
    return kUsage;
  }
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  std::size_t sent = 0, refused = 0;
  std::size_t outcomes[4] = {};
  constexpr const char* kNames[] = {"new", "repeat", "waiting", "unknown"};
  for (std::size_t at = 0; at < events->size();) {
    std::string body = "[";
    std::size_t count = 0;
    for (; at + count < events->size() && count < kBatchEvents && body.size() < kBatchBytes; ++count)
      body += (count > 0 ? "," : "") + (*events)[at + count];
    const auto answer = api->post("/v1/events", "application/cloudevents-batch+json", body + "]", kWaitSeconds);
    if (!answer.ok()) return fail(answer.error());
    if (answer->status != 202 && answer->status != 422) return fail({ErrorCode::invalid_input, problem_text(*answer)});
    if (options.json) std::puts(answer->body.c_str());
    const auto parsed = json::parse(answer->body, {64U << 20, 16});
    if (!parsed.ok()) return fail(parsed.error());
    for (const json::Value& result : parsed->find("results")->items()) {
      const json::Value* outcome = result.find("outcome");
      const json::Value* why = outcome != nullptr ? outcome : result.find("problem");
      const std::string judgement = outcome == nullptr ? "refused" : text_of(*outcome, "judgement");
      ++sent;
      if (judgement == "refused") {
        ++refused;
        std::fprintf(stderr, "granary: event %zu is refused: %s%s %s; hint: %s\n",
                     at + std::stoul(text_of(result, "index")) + 1, text_of(*why, "reason").c_str(),
                     (outcome == nullptr ? problem_name(*why) : "").c_str(), text_of(*why, "field").c_str(),
                     text_of(*why, "hint").c_str());
      }
      for (int i = 0; i < 4; ++i) outcomes[i] += judgement == kNames[i] ? 1 : 0;
    }
    at += count;
  }
  if (!options.json)
    std::printf("%zu events: %zu new, %zu repeats, %zu waiting, %zu refused\n", sent, outcomes[0], outcomes[1],
                outcomes[2], refused);
  return refused > 0 ? kRefused : kDone;
}

int export_rows(const ClientOptions& options, const std::string& what, const std::string& format) {
  if (format == "json") {
    ClientOptions json = options;
    json.json = true;
    return print_list(json, "/v1/" + what, {}, {});
  }
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  const std::vector<std::string> columns =
      what == "usage"
          ? std::vector<std::string>{"project", "resource", "unit", "records", "quantity"}
          : std::vector<std::string>{"organisation", "project",        "resource",     "period",  "unit",
                                     "used",         "covered",        "billed",       "unrated", "currency",
                                     "list_amount",  "covered_amount", "billed_amount"};
  std::string header;
  for (const auto& column : columns) header += (header.empty() ? "" : ",") + column;
  std::puts(header.c_str());
  const auto done = api->each_row(after_token(options, "/v1/" + what), [&columns](const json::Value& row) {
    std::string line;
    for (const auto& column : columns) line += (line.empty() ? "" : ",") + csv_cell(text_of(row, column));
    std::puts(line.c_str());
  });
  return done.ok() ? kDone : fail(done.error());
}

}  // namespace granary::standalone
