#include "services/cli/commands.h"

#include <cstdio>
#include <map>
#include <vector>

#include "services/cli/api.h"
#include "services/cli/json_rows.h"
#include "services/cli/table.h"
#include "shared/http/uri.h"
#include "shared/json/writer.h"
#include "shared/service/program.h"
#include "shared/units/currency.h"

namespace granary::cli {
namespace {

constexpr int kDone = 0, kRefused = 1;

// What a column's cells are, for people.
enum class Cell { text, amount, money };
struct Column {
  std::string name;
  Cell cell = Cell::text;
};

std::string people_cell(const json::Value& row, const Column& column, const ClientOptions& options) {
  std::string text = text_of(row, column.name);
  if (column.cell == Cell::amount) return people_amount(text, text_of(row, "unit"));
  if (column.cell == Cell::money && !options.exact) return units::people_money(text, text_of(row, "currency"));
  return text;
}

std::vector<std::string> names_of(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

// Prints the rows of a list: as JSON one array, row by row; as a table of the named columns, as people read them.
int print_list(const ClientOptions& options, const std::string& path, const std::vector<Column>& columns) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  Table table(names_of(columns));
  JsonRows rows(service::write_output);
  const auto visit = [&](const json::Value& row) -> Result<void> {
    if (options.json) return rows.add(row);
    std::vector<std::string> cells;
    cells.reserve(columns.size());
    for (const Column& column : columns) cells.push_back(people_cell(row, column, options));
    table.add(std::move(cells));
    return {};
  };
  auto done = api->each_row(after_token(options, path), visit);
  if (done.ok() && options.json) done = rows.finish();
  if (!done.ok()) return fail(done.error());
  if (!options.json) table.print(stdout);
  return kDone;
}

}  // namespace

int fail(const Error& error) {
  service::complain(error.message);
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::io_error ? service::kCannotRun : kRefused;
}

std::string after_token(const ClientOptions& options, std::string path) {
  if (options.after.empty()) return path;
  path += path.find('?') == std::string::npos ? "?after=" : "&after=";
  return path + http::percent_encode(options.after);
}

int projects(const ClientOptions& options) {
  return print_list(options, "/v1/projects",
                    {{"organisation"},
                     {"project"},
                     {"resource"},
                     {"granted", Cell::amount},
                     {"used", Cell::amount},
                     {"reserved", Cell::amount},
                     {"expired", Cell::amount},
                     {"available", Cell::amount},
                     {"usable", Cell::amount},
                     {"uncovered", Cell::amount}});
}

int charges(const ClientOptions& options) {
  return print_list(options, "/v1/charges",
                    {{"organisation"},
                     {"project"},
                     {"resource"},
                     {"period"},
                     {"used", Cell::amount},
                     {"covered", Cell::amount},
                     {"billed", Cell::amount},
                     {"unrated", Cell::amount},
                     {"currency"},
                     {"list_amount", Cell::money},
                     {"covered_amount", Cell::money},
                     {"billed_amount", Cell::money}});
}

int balance(const ClientOptions& options, const std::string& project) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  const auto answer = api->get(after_token(options, "/v1/projects/" + http::percent_encode(project) + "/balance"));
  if (!answer.ok()) return fail(answer.error());
  if (options.json) {
    std::string text;
    json::append_json(text, *answer);
    std::puts(text.c_str());
    return kDone;
  }
  if (!answer->is(json::Kind::array))
    return fail({ErrorCode::io_error,
                 "expected a list of balances in the server's answer, got another value; hint: see "
                 "that --url names a Granary server of this version"});
  const std::vector<Column> columns{{"resource"},
                                    {"granted", Cell::amount},
                                    {"used", Cell::amount},
                                    {"reserved", Cell::amount},
                                    {"running", Cell::amount},
                                    {"expired", Cell::amount},
                                    {"withdrawn", Cell::amount},
                                    {"available", Cell::amount},
                                    {"usable", Cell::amount},
                                    {"uncovered", Cell::amount}};
  Table table(names_of(columns));
  Table lots({"resource", "lot", "from", "to", "granted", "used", "reserved", "expired", "available"});
  std::string as_of;
  for (const json::Value& row : answer->items()) {
    std::vector<std::string> cells;
    cells.reserve(columns.size());
    for (const Column& column : columns) cells.push_back(people_cell(row, column, options));
    table.add(std::move(cells));
    as_of = text_of(row, "as_of");
    const json::Value* list = row.find("lots");
    if (list == nullptr || !list->is(json::Kind::array)) continue;
    for (const json::Value& lot : list->items()) {
      std::vector<std::string> line{text_of(row, "resource"),
                                    text_of(lot, "grant").substr(0, 8) + "-" + text_of(lot, "lot"),
                                    text_of(lot, "from"), text_of(lot, "to")};
      for (const char* name : {"granted", "used", "reserved", "expired", "available"})
        line.push_back(people_amount(text_of(lot, name), text_of(row, "unit")));
      lots.add(std::move(line));
    }
  }
  table.print(stdout);
  std::puts("");
  lots.print(stdout);
  std::puts(as_of.empty() ? "\nnothing was granted or used yet"
                          : ("\nhours of a resource (bytes: GiB-hours), as of " + as_of).c_str());
  return kDone;
}

// What metering passed on and allocation keeps waiting for its project is pending still.
int sources(const ClientOptions& options) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  std::map<std::string, std::int64_t> unassigned;
  const auto add_waiting = [&](const json::Value& row) -> Result<void> {
    const auto waiting = integer_of(row, "waiting");
    if (!waiting.ok()) return waiting.error();
    unassigned[text_of(row, "source")] += *waiting;
    return {};
  };
  const auto waiting = api->each_row(after_token(options, "/v1/unassigned"), add_waiting);
  if (!waiting.ok()) return fail(waiting.error());
  const std::vector<std::string> columns{"source",   "received", "metered",         "repeated",
                                         "rejected", "pending",  "complete_through"};
  Table table(columns);
  JsonRows rows(service::write_output);
  const auto show = [&](const json::Value& row) -> Result<void> {
    const auto of_source = unassigned.find(text_of(row, "source"));
    const std::int64_t here = of_source == unassigned.end() ? 0 : of_source->second;
    const auto metered = integer_of(row, "metered");
    if (!metered.ok()) return metered.error();
    const auto pending = integer_of(row, "pending");
    if (!pending.ok()) return pending.error();
    std::vector<json::Member> members;
    for (const json::Member& member : row.members()) {
      const auto number = [](std::int64_t value) { return json::Value(json::Value::Number{std::to_string(value)}); };
      members.push_back({member.name, member.name == "metered"   ? number(*metered - here)
                                      : member.name == "pending" ? number(*pending + here)
                                                                 : member.value});
    }
    const json::Value told(std::move(members));
    if (options.json) return rows.add(told);
    std::vector<std::string> cells;
    cells.reserve(columns.size());
    for (const std::string& column : columns) cells.push_back(text_of(told, column));
    table.add(std::move(cells));
    return {};
  };
  auto done = api->each_row(after_token(options, "/v1/sources"), show);
  if (done.ok() && options.json) done = rows.finish();
  if (!done.ok()) return fail(done.error());
  if (!options.json) table.print(stdout);
  return kDone;
}

int rejected(const ClientOptions& options, const std::string& source, const std::string& id) {
  std::string path = "/v1/rejected?limit=500";
  if (!source.empty()) path += "&source=" + http::percent_encode(source);
  if (!id.empty()) path += "&id=" + http::percent_encode(id);
  return print_list(options, path, {{"machine"}, {"reason"}, {"source"}, {"id"}, {"field"}, {"hint"}});
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
  if (answer->status != 200)
    return fail({answer->status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid_input, problem_text(*answer)});
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
    service::complain(url + " did not confirm its clock: " + error + "; hint: granary clock confirm --url " + url);
  }
  return exit_code;
}

}  // namespace granary::cli
